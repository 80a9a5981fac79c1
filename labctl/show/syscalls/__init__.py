"""How processes cross into the kernel, as tables and as pictures (figure 6-26). Pure."""
