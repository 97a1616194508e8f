"""Signals in and out as files."""
