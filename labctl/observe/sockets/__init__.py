"""The sockets of a host as its kernel has them (figure 6-28): what the agent tells, read. Pure."""
