"""Fuzzing: requests and bodies that a generator makes, from one seed."""
