"""Parts that the tests of the manual share: a warm process, and a migrated data folder to copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manual import pages
from tests.manual.shell import Clone, Warm, warm


@pytest.fixture(scope="session")
def warm_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Runs commands quickly, for all tests of this process."""
    with warm(tmp_path_factory.mktemp("warm")) as made:
        yield made


@pytest.fixture(scope="session")
def fresh(warm_process: Warm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with an empty database, to be copied."""
    return pages.fresh(tmp_path_factory.mktemp("fresh"), warm_process)


@pytest.fixture
def clone(warm_process: Warm, fresh: Path, tmp_path: Path) -> Iterator[Clone]:
    """A copy of it for one page."""
    with pages.copied(fresh, tmp_path / "clone", warm_process) as made:
        yield made
