"""Slows wrong logins, in all processes and on all machines together."""
