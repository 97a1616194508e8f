"""Deliveries to Alpine: every signal, once, whatever happens on the way."""
