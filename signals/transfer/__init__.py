"""Imports signals from files and exports them to files."""
