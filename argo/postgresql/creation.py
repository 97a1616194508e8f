"""Test databases of the PostgreSQL engine."""

from typing import Any

from django.db.backends.postgresql import creation


class DatabaseCreation(creation.DatabaseCreation):
    """Closes the pool before a test database is dropped."""

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        wrapper: Any = self.connection
        wrapper.dispose_pool()  # or the server would not drop a database that is in use
        super()._destroy_test_db(test_database_name, verbosity)  # type: ignore[misc]  # stubs lack it
