"""The model of a lab: a compose.yaml with an x-lab part, loaded and checked. Pure."""
