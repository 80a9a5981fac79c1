"""Draws a film of descriptor tables and sockets: as text, as one HTML page, as JSON. Pure."""
