"""Everything that talks to Docker: the only room that does."""
