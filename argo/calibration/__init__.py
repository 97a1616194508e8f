"""Fits calibrations on the signals that have ended, judges them, and stores them."""
