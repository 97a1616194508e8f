"""Tests of POSTs with an Idempotency-Key."""
