"""Tests of the list of signals in the API, and of its export."""
