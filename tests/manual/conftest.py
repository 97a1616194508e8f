"""Parts that the tests of the manual share: a warm process, and a migrated data folder to copy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.legacy import legacy_database, legacy_rows
from tests.manual.shell import Clone, Warm, warm


@pytest.fixture(scope="session")
def warm_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Runs commands quickly, for all tests of this process."""
    with warm(tmp_path_factory.mktemp("warm")) as made:
        yield made


@pytest.fixture(scope="session")
def fresh(warm_process: Warm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with what pages take for granted: an empty database, bars, and an older store."""
    clone = Clone(tmp_path_factory.mktemp("fresh"), warm_process)
    clone.prepare()
    (clone.folder / "data/bars").mkdir(parents=True)
    (clone.folder / "old").mkdir()
    legacy_database(clone.folder / "old/signals.db", legacy_rows(12))
    clone.output("migrate", "--verbosity", "0")
    return clone.folder


@pytest.fixture
def clone(warm_process: Warm, fresh: Path, tmp_path: Path) -> Clone:
    """A copy of it for one page."""
    folder = tmp_path / "clone"
    shutil.copytree(fresh, folder)
    return Clone(folder, warm_process)
