"""Descriptor tables and the sockets behind them, drawn as in figure 6-28, and as JSON. Pure."""
