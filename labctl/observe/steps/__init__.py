"""What programs hold after each of their calls (figure 6-28), read and joined. Pure."""
