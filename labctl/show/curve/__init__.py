"""Curves of load against answers, in every form."""
