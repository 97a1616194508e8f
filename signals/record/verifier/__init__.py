"""Checks proofs, bundles and records, without anything but Python's standard library."""
