"""Watches hosts from outside, and turns what strace, tracefs and tcpdump tell into events."""
