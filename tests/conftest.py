"""Fixtures that the tests of all apps share."""

import gc
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from django.test import TransactionTestCase
from pytest_django import Settings
from whitenoise.middleware import WhiteNoiseMiddleware

from signals import config
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.tracker import SignalTracker
from tests import cleaning, static_files, warm
from tests import installation as installations
from tests.databases import Spares
from tests.installation import Installation
from tests.services import SERVICES, required

pytest_plugins = ["tests.durable_nodes"]
hypothesis.settings.register_profile(  # a slow machine is not an error
    "argo", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("argo")


installations.run = warm.run
TransactionTestCase._fixture_teardown = cleaning.empty_databases  # type: ignore[attr-defined]
WhiteNoiseMiddleware.add_files_from_finders = static_files.add_files_once

ONE_WORKERS = Path(__file__).parent / "browser"
"""Tests that share a browser and an Argo: on two workers they would start two of each."""
SLOW_LIMIT = 900
"""Seconds that a test marked `slow` may take, if it does not say otherwise."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests their time limit, and let each worker begin with its share of them.

    Those of a folder that shares a browser stay together.

    xdist gives each worker as many tests, in order; when one is done, it takes over some that
    another one has not begun. So at the end the workers share short tests.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    for item in slow:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT))
    together = [item for item in slow if ONE_WORKERS in item.path.parents]
    others = [item for item in slow if item not in together]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    each = -(-len(items) // workers)
    items.clear()
    for worker in range(workers):
        share = others[worker::workers] + (together if worker == 0 else [])
        rest = max(0, each - len(share))
        items += share + quick[:rest]
        del quick[:rest]


def pytest_collection_finish() -> None:
    """Take what is imported out of the garbage collector's sight: no test lets go of it.

    It is hundreds of megabytes, through which each full collection would go, up to a second each.
    """
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`@pytest.mark.services("redis")`: skip without it, or fail if all services are required."""
    for mark in item.iter_markers("services"):
        for service in (SERVICES[name] for name in mark.args):
            if not service.answers():
                reason = f"{service.name} does not answer on {service.host}:{service.port}"
                pytest.fail(reason) if required() else pytest.skip(reason)


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, settings: Settings) -> Iterator[None]:
    """Give each test its own journal."""
    settings.DATA_DIR = tmp_path
    config.journal.cache_clear()
    yield
    config.journal().close()
    config.journal.cache_clear()


@pytest.fixture
def port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    return free


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "signals.log")
    yield journal
    journal.close()


@pytest.fixture(
    params=["default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)
def using(request: pytest.FixtureRequest) -> str:
    """Run a storage test on SQLite and on PostgreSQL; mark it with `both_databases`."""
    name: str = request.param
    return name


@pytest.fixture
def tracker(journal: Journal, using: str) -> SignalTracker:
    """Return a tracker with its own journal that stores in the database `using`."""
    return SignalTracker.with_parts(journal, Flusher(journal, using=using), origin="python")


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with a migrated database; copy it before use."""
    folder = tmp_path_factory.mktemp("migrated")
    Installation(folder).manage("migrate", "--verbosity", "0").check_returncode()
    return folder


@pytest.fixture(scope="session")
def spares() -> Iterator[Spares]:
    """Lends empty PostgreSQL databases."""
    with ExitStack() as stack:
        yield Spares(stack)


@pytest.fixture(scope="session")
def migrated_postgresql(spares: Spares, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the DATABASE_URL of a migrated database; only read it, or copy it before use."""
    with spares.empty() as url:
        argo = Installation(tmp_path_factory.mktemp("postgresql"), {"DATABASE_URL": url})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        yield url


@pytest.fixture
def installation(migrated_folder: Path, tmp_path: Path) -> Installation:
    """Return a new, migrated Argo, whose commands run as real processes."""
    folder = tmp_path / "argo"
    shutil.copytree(migrated_folder, folder)
    return Installation(folder)


@pytest.fixture
def postgresql_installation(
    spares: Spares, migrated_postgresql: str, tmp_path: Path
) -> Iterator[Installation]:
    """Return the same on PostgreSQL; mark the test with `services("postgresql")`."""
    with spares.copy_of(migrated_postgresql) as url:
        yield Installation(tmp_path / "argo", {"DATABASE_URL": url})
