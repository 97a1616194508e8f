"""The nodes, the servers that they share, and a market whose price does not move."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psutil
import requests

from tests.argo.up.processes import wait_until, wait_until_gone
from tests.clusters import Pair, pair
from tests.installation import ROOT, Installation
from tests.loopback import free_port
from tests.nodes import clocks
from tests.nodes.networks import ALL, Network, networks

BROKER = "amqp://guest:guest@127.0.0.1:5672//"
SYMBOL = "BTC-USD"
PRICE = 100.0
DAYS = 40
NODES = 3
UP = ("manage.py", "up", "--small")
TRADING = {
    "AUTO_EXECUTE": "yes",
    "MARKET_DATA": "files",
    "MARKET_SYMBOLS": SYMBOL,
    "MARKET_PRICE_MAX_AGE": "800000",
    "PAPER_DEPOSIT": "1e9",
    "SIZING": "fixed_fraction",
    "SIZING_PERCENT": "0.001",
    "RISK_MAX_POSITION": "100",
    "RISK_MAX_POSITIONS": "999999",
    "RISK_MAX_PER_SYMBOL": "999999",
    "RISK_MAX_PER_GROUP": "999999",
    "RISK_ORDERS_A_MINUTE": "999999",
    "RISK_LOSSES_IN_A_ROW": "999999",
    "EXECUTION_MAX_AGE": "86400",
}
"""So loose that each signal is traded: a second order for one would be seen."""


@dataclass
class Node:
    """A machine: its data folder, its web server's port, and `up`, while it runs.

    `network` is its own, if there is one that can be cut. Its clock is wrong by `clock` seconds.
    """

    argo: Installation
    port: int
    network: Network | None = None
    clock: int = 0
    process: "subprocess.Popen[str] | None" = field(default=None)

    @property
    def url(self) -> str:
        return f"http://{self.network.node if self.network else '127.0.0.1'}:{self.port}"

    def start(self) -> None:
        """Start `up`; it is not awaited."""
        with (self.argo.folder.parent / f"{self.argo.folder.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [*(self.network.inside() if self.network else []), sys.executable, *UP],
                cwd=ROOT, env=self.argo.environment | clocks.environment(self.clock),
                stdout=log, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill every process of the node at the same time, as the end of its machine would."""
        assert self.process is not None
        first = psutil.Process(self.process.pid)
        first.suspend()  # it starts nothing again
        every = [first, *first.children(recursive=True)]
        for each in every:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGKILL)
        wait_until_gone(*(each.pid for each in every))
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        """End it as an operator does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(120)
            self.process = None


@dataclass
class World:
    """Everything that runs."""

    servers: Pair
    nodes: list[Node]
    key: str

    def wait_until_ready(self) -> None:
        """Wait until every node can take a signal."""
        for node in self.nodes:
            wait_until(partial(_is_ready, node), partial(_tail, node))


@contextmanager
def world(folder: Path, *, can_be_cut: bool = False) -> Iterator[World]:
    """Make the servers, prepare the database, and start the nodes; end all of them at the end.

    The nodes' clocks are minutes apart.

    If the nodes `can_be_cut` off, each has a network of its own, and a broker in its folder:
    RabbitMQ takes its guest from this machine only.
    """
    _write_bars(folder / "bars")
    with ExitStack() as stack:
        servers = stack.enter_context(pair(ALL if can_be_cut else ""))
        own = stack.enter_context(networks(NODES)) if can_be_cut else [None] * NODES
        nodes = [
            _node(folder / f"node{n}", servers, network, clock)
            for n, (network, clock) in enumerate(zip(own, clocks.APART, strict=True), 1)
        ]
        _manage(nodes[0].argo, "migrate", "--verbosity", "0")
        key = _manage(nodes[0].argo, "api_key", "--create", "sender", "--scope", "write").split()[0]
        stack.callback(_end, nodes)
        for node in nodes:
            node.start()
        here = World(servers, nodes, key)
        here.wait_until_ready()
        yield here


def _manage(argo: Installation, *arguments: str) -> str:
    """Run a command; return what it prints."""
    done = argo.manage(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _node(folder: Path, servers: Pair, network: Network | None, clock: int) -> Node:
    port = free_port()
    host = network.host if network else "127.0.0.1"
    own = {
        "DATABASE_URL": servers.url.replace("127.0.0.1", host),
        "CELERY_BROKER_URL": "filesystem://localhost/" if network else BROKER,
        "ARGO_WEB_HOST": network.node if network else "127.0.0.1",
        "ARGO_ALLOWED_HOSTS": network.node if network else "127.0.0.1",
        "SIGNAL_DURABILITY": "database",
        "ARGO_WEB_PORT": str(port),
        "MARKET_FOLDER": str(folder.parent / "bars"),
        **TRADING,
    }
    return Node(Installation(folder, own), port, network, clock)


def _end(nodes: list[Node]) -> None:
    for node in nodes:
        if node.process is not None:
            node.kill()


def _write_bars(folder: Path) -> None:
    """Write bars that go on at weekends, up to yesterday's."""
    folder.mkdir()
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=number) for number in range(DAYS, 0, -1)]
    prices = f"{PRICE},{PRICE + 0.5},{PRICE - 0.5},{PRICE},1000000"
    lines = ["Date,Open,High,Low,Close,Volume", *(f"{day},{prices}" for day in days)]
    (folder / f"{SYMBOL}.csv").write_text("\n".join(lines) + "\n")


def _is_ready(node: Node) -> bool:
    assert node.process is None or node.process.poll() is None, _tail(node)
    try:
        answer = requests.get(f"{node.url}/api/health/ready", timeout=5)
    except requests.RequestException:
        return False
    return answer.status_code == 200


def _tail(node: Node) -> str:
    log = node.argo.folder.parent / f"{node.argo.folder.name}.log"
    return f"{node.argo.folder.name} is not ready:\n{log.read_text()[-4000:]}"


def end_connections(servers: Pair) -> None:
    """End every connection to the primary, as its restart does."""
    servers.primary.ask(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
