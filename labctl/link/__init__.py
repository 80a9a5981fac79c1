"""How the kernel makes a link as slow and as lossy as a lab says. Pure: links in, commands out."""
