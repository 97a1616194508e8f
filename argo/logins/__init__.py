"""Logins: slowed if they are wrong, with a second factor, in sessions that end."""
