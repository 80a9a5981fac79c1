"""Turns results into text for a terminal, JSON or JUnit. Pure: values in, text out."""
