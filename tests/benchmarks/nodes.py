"""The processor's time of a drained row on PostgreSQL, with three nodes at once and with one."""

import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

from tests.benchmarks.figures import Figure
from tests.benchmarks.workspace import Workspace
from tests.databases import empty_postgresql
from tests.installation import Installation
from tests.services import POSTGRESQL

NODES = 3
TARGET = 1.1


def run(workspace: Workspace) -> Iterator[Figure]:
    """Let one node, and then three, drain equally many rows into one database, in turns."""
    if not POSTGRESQL.answers():
        yield Figure(f"nodes on PostgreSQL: no server on port {POSTGRESQL.port}", "not measured")
        return
    count = workspace.size(60_000, 15_000)
    with empty_postgresql() as url:
        nodes = [
            Installation(workspace.folder / f"node{n}", {"DATABASE_URL": url}) for n in range(NODES)
        ]
        nodes[0].manage("migrate", "--verbosity", "0").check_returncode()
        _drained(nodes, count // NODES, 0)  # fills the tables before the first round
        rounds = [_round(nodes, count, number) for number in range(1, workspace.size(7, 3) + 1)]
    one, three = (statistics.median(side) for side in zip(*rounds, strict=True))
    yield Figure(
        f"processor's time of a drained row, {NODES} nodes at once",
        f"{three * 1e6:.1f} us",
        f"{one * 1e6:.1f} us, one node",
        f"{three / one:.2f} times",
        f"at most {TARGET:g} times",
        three / one <= TARGET,
    )


def _round(nodes: list[Installation], count: int, number: int) -> tuple[float, float]:
    first = 2 * number * count
    return _drained(nodes[:1], count, first), _drained(nodes, count // NODES, first + count)


def _drained(nodes: list[Installation], each: int, first: int) -> float:
    """Return the seconds of a row: those of the nodes' processes and of their server's."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                node.start(
                    "-m", "tests.benchmarks.nodes_side", str(each), str(first + number * each),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                )
            )
            for number, node in enumerate(nodes)
        ]  # fmt: skip
        pipes = [(process.stdin, process.stdout) for process in running]
        answers = [out.readline for _, out in pipes if out is not None]
        for answer in answers:  # each says that its journal is full
            answer()
        for begin, _ in pipes:
            assert begin is not None
            print("begin", file=begin, flush=True)
        taken = sum(float(answer()) for answer in answers)
    return taken / (each * len(nodes))
