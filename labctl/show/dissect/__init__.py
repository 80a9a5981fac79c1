"""Draws datagrams that were taken apart: as text, SVG, HTML and JSON."""
