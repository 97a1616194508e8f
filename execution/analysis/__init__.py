"""Computes what figures need of decisions, positions and counterfactuals."""
