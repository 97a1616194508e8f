"""Computes from what is stored: pure functions of numbers, without Django."""
