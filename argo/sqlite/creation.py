"""Test databases of the SQLite engine."""

from typing import Any

from django.db.backends.sqlite3 import creation


class DatabaseCreation(creation.DatabaseCreation):
    """Closes the pool before a test database is deleted."""

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        wrapper: Any = self.connection
        wrapper.dispose_pool()  # or the pool would keep a deleted file open
        super()._destroy_test_db(test_database_name, verbosity)  # type: ignore[misc]  # stubs lack it
