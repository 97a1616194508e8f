"""Argo's SQLite: a library without the WAL-reset bug, pragmas on each connection, a small pool."""
