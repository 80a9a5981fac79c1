"""Queues over time, drawn and as JSON. Pure: what was seen in, text or an image out."""
