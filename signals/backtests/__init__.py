"""Backtests of stored or exported signals against a market: reading, running, and keeping them."""
