"""Argo's SQLite: a library without the WAL-reset bug, pragmas on every connection, a small pool."""
