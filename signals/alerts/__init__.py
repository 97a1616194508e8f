"""Alerts of senders that can choose only a URL and a body: read as signals or exits, and kept."""
