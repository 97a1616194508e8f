"""Calibrations: maps from the raw confidence to a truer one, and their stored versions."""
