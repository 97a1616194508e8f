"""Installations on both databases, and empty ones to restore into."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.databases import empty_postgresql
from tests.installation import Installation

MakeEmpty = Callable[[], Installation]


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)
def kind(request: pytest.FixtureRequest) -> str:
    """Run a test on SQLite and on PostgreSQL."""
    name: str = request.param
    return name


@pytest.fixture
def empty(kind: str, tmp_path: Path) -> Iterator[MakeEmpty]:
    """Return a function that makes installations with an empty folder and an empty database."""
    with ExitStack() as databases:
        made: list[Installation] = []

        def make() -> Installation:
            own = {}
            if kind == "postgresql":
                own = {"DATABASE_URL": databases.enter_context(empty_postgresql())}
            made.append(Installation(tmp_path / f"empty-{len(made)}", own))
            return made[-1]

        yield make


@pytest.fixture
def argo(kind: str, empty: MakeEmpty, migrated_folder: Path) -> Installation:
    """Return a migrated installation without signals."""
    made = empty()
    if kind == "sqlite":
        shutil.copytree(migrated_folder, made.folder)
    else:
        made.manage("migrate", "--verbosity", "0").check_returncode()
    return made
