"""Argo's PostgreSQL: a pool of connections in each process, checked before they are used."""
