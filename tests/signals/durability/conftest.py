"""A primary with its standby, prepared once, and nodes of it that promise to store there."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clusters import Pair, can_be_made, pair
from tests.installation import Installation
from tests.services import required
from tests.signals.durability.nodes import Node


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Return a primary with Argo's tables and a standby that its commits wait for."""
    if not (can_be_made() or required()):
        pytest.skip("PostgreSQL's server programs are not installed")
    with pair() as made:
        argo = Installation(tmp_path_factory.mktemp("pair"), {"DATABASE_URL": made.url})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        yield made


@pytest.fixture
def node(servers: Pair, tmp_path: Path) -> Iterator["StartNode"]:
    """Return a function that starts a node with these settings."""
    servers.wait_until_synchronous()
    with ExitStack() as stack:
        yield StartNode(servers, tmp_path, stack)


class StartNode:
    """Starts nodes, each with its own folder, on one pair of servers."""

    def __init__(self, servers: Pair, folder: Path, stack: ExitStack) -> None:
        self._servers, self._folder, self._stack = servers, folder, stack
        self._count = 0

    def __call__(self, **settings: str) -> Node:
        self._count += 1
        own = {"DATABASE_URL": self._servers.url, "SIGNAL_DURABILITY": "database", **settings}
        argo = Installation(self._folder / f"node{self._count}", own)
        return self._stack.enter_context(Node(argo))
