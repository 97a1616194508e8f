"""Gives analysis what it needs of decisions, positions and counterfactuals."""
