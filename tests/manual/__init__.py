"""Keeps README.md and the manual true."""
