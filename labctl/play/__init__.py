"""Plays a scenario on a lab that is up: who runs what, in which order."""
