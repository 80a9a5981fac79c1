"""A file's distribution as tables, as JSON, as images. Pure: what was measured in, text out."""
