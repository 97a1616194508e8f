"""Tests of corporate actions on what is held."""
