"""A signal's page: its story with a chart of prices, votes as bars, and what became of it."""
