"""Installations on both databases, and empty ones to restore into."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.argo.backup.backups import back_up
from tests.databases import Spares
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
def empty(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeEmpty]:
    """Return a function that makes installations with an empty folder and an empty database."""
    with ExitStack() as databases:
        made: list[Installation] = []

        def make() -> Installation:
            own = {}
            if kind == "postgresql":
                spares: Spares = request.getfixturevalue("spares")
                own = {"DATABASE_URL": databases.enter_context(spares.empty())}
            made.append(Installation(tmp_path / f"empty-{len(made)}", own))
            return made[-1]

        yield make


@pytest.fixture
def argo(
    kind: str, migrated_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    """Return a migrated installation without signals."""
    folder = tmp_path / "argo"
    if kind == "sqlite":
        yield Installation(shutil.copytree(migrated_folder, folder))
        return
    spares: Spares = request.getfixturevalue("spares")
    with spares.copy_of(request.getfixturevalue("migrated_postgresql")) as url:
        yield Installation(folder, {"DATABASE_URL": url})


@pytest.fixture(scope="session")
def first_backup(migrated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a backup of an installation without signals, on SQLite; only read it."""
    folder = tmp_path_factory.mktemp("backups") / "first"
    back_up(Installation(migrated_folder), folder)
    return folder


@pytest.fixture
def backup(first_backup: Path, tmp_path: Path) -> Path:
    """Return a copy of that backup."""
    return shutil.copytree(first_backup, tmp_path / "backup")
