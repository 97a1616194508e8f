"""Both databases: a mark for tests in this process, and empty databases for installations."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg
import pytest

from tests.services import POSTGRESQL

DATABASES = ["default", "postgresql"] if POSTGRESQL.answers() else ["default"]
both_databases = pytest.mark.django_db(databases=DATABASES, transaction=True)

_numbers = count(1)


@contextmanager
def empty_postgresql(template: str = "template1") -> Iterator[str]:
    """Make a new database, or a copy of `template`; yield its DATABASE_URL."""
    name = f"argo_machines_{os.getpid()}_{next(_numbers)}"
    server = f"{POSTGRESQL.host}:{POSTGRESQL.port}"
    with psycopg.connect(f"postgresql://postgres@{server}/postgres", autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield f"postgres://postgres@{server}/{name}"
        finally:
            own.execute(f"DROP DATABASE {name} WITH (FORCE)")


def name_of(url: str) -> str:
    """Return the name of the database at this DATABASE_URL."""
    return url.rpartition("/")[2]
