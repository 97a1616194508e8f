"""Deliveries to Alpine: every signal arrives once, whatever fails on the way."""
