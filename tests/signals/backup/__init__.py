"""Backups of one database and journal, in this process."""
