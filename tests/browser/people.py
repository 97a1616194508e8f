"""Who uses the tests' Argo: the first user, whom `up` makes, and one of each group."""

ADMIN = "admin"
GROUPS = ("viewer", "trader", "administrator")
PASSWORD = "a long password of a test"
"""Of the users that are named after their group."""
