"""Both databases: a mark for tests in this process, and empty databases for installations."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

import psycopg
import pytest

from tests.services import POSTGRESQL

DATABASES = ["default", "postgresql"] if POSTGRESQL.answers() else ["default"]
both_databases = pytest.mark.django_db(databases=DATABASES, transaction=True)

_numbers = count(1)


@contextmanager
def empty_postgresql() -> Iterator[str]:
    """Make a new database; yield its DATABASE_URL."""
    name = f"argo_machines_{os.getpid()}_{next(_numbers)}"
    server = f"{POSTGRESQL.host}:{POSTGRESQL.port}"
    with psycopg.connect(f"postgresql://postgres@{server}/postgres", autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name}")
        try:
            yield f"postgres://postgres@{server}/{name}"
        finally:
            own.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Spares:
    """Empty databases for tests that come one after another.

    Dropping a database makes the server write everything to disk; emptying one does not.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._free: list[str] = []

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Lend an empty database; yield its DATABASE_URL."""
        url = self._free.pop() if self._free else self._stack.enter_context(empty_postgresql())
        try:
            yield url
        finally:
            with psycopg.connect(url.replace("postgres:", "postgresql:"), autocommit=True) as own:
                own.execute(END_OTHERS)
                own.execute("DROP SCHEMA public CASCADE")
                own.execute("CREATE SCHEMA public")
            self._free.append(url)

    @contextmanager
    def copy_of(self, original: str) -> Iterator[str]:
        """Lend a database with the content of the one at this DATABASE_URL."""
        with self.empty() as url:
            dump = f"pg_dump --dbname={original} | psql --quiet --no-psqlrc --dbname={url}"
            subprocess.run(["/bin/sh", "-c", dump], check=True, stdout=subprocess.DEVNULL)
            yield url


END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def name_of(url: str) -> str:
    """Return the name of the database at this DATABASE_URL."""
    return url.rpartition("/")[2]
