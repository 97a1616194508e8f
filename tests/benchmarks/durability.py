"""SIGNAL_DURABILITY=database on a primary with a standby that its commits wait for."""

import json
import re
import statistics
import subprocess
from collections.abc import Iterator

from tests import clusters
from tests.benchmarks.figures import Figure, number
from tests.benchmarks.workspace import Workspace
from tests.installation import Installation

COMMIT = "INSERT INTO commits (line) VALUES (repeat('x', 300));\n"
TARGET = 1.5


def run(workspace: Workspace) -> Iterator[Figure]:
    """Make both servers, and measure there in a process of its own."""
    if not clusters.can_be_made():
        yield Figure("durability in PostgreSQL: its server's programs are missing", "not measured")
        return
    with clusters.pair() as servers:
        own = {"DATABASE_URL": servers.url, "SIGNAL_DURABILITY": "database"}
        argo = Installation(workspace.folder / "durable", own)
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        servers.primary.ask("CREATE TABLE commits (id serial PRIMARY KEY, line text)")
        before = _pgbench(workspace, servers.primary)
        told = json.loads(_sides(argo, workspace.quick))
        commit = statistics.median((before, _pgbench(workspace, servers.primary)))
    yield _ratio("64 callers, one signal each", told["callers"], told["drain"], 0.5)
    yield _ratio("8 callers, 100 signals each", told["batches"], told["drain"], 0.5)
    alone = told["alone"]
    yield Figure(
        "- one caller alone, median of its answers",
        f"{alone * 1000:.2f} ms",
        f"{commit * 1000:.2f} ms, one INSERT and its commit by pgbench",
        f"{alone / commit:.2f} times",
        f"at most {TARGET:g}",
        alone / commit <= TARGET,
    )


def _ratio(what: str, found: float, drain: float, target: float) -> Figure:
    return Figure(
        f"durable in PostgreSQL and its standby: {what}",
        f"{number(found)}/s",
        f"{number(drain)}/s, the drain",
        f"{found / drain:.2f}",
        f"at least {target:g}",
        found / drain >= target,
    )


def _sides(argo: Installation, quick: bool) -> str:
    arguments = ["-m", "tests.benchmarks.durability_sides", *(["--quick"] if quick else [])]
    process = argo.start(*arguments, stdout=subprocess.PIPE)
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the sides ended with {process.returncode}")
    return str(output)


def _pgbench(workspace: Workspace, server: clusters.Server) -> float:
    """Return the average latency of one client's commits, in seconds."""
    script = workspace.folder / "commit.sql"
    script.write_text(COMMIT)
    command = [
        "pgbench", "-n", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-c", "1",
        "-T", str(workspace.size(10, 3)), "-M", "simple", "-f", str(script), "postgres",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"latency average = ([\d.]+) ms", done.stdout)
    assert found, done.stdout
    return float(found[1]) / 1000
