"""Reads stored signals as typed Arrow tables, also as they were known at an earlier moment."""
