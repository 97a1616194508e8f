"""`verify_signals` on a full database: every hash, every row, every line."""

import json
from collections.abc import Iterator

from django.db import connection

from signals.config import flusher, journal
from tests.benchmarks import samples, servers
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.workspace import Workspace, say


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure the whole command, from start to exit."""
    count = workspace.size(500_000, 50_000)
    say(f"  storing {count:,} signals")
    samples.fill(journal(), count, first=0)
    flusher().flush()
    connection.close()
    found = medians(
        workspace.size(3, 1), {"rows a second": lambda number: count / seconds(_verify)}
    )
    what = f"verify_signals, {count:,} rows and their lines"
    yield at_least(what, found["rows a second"], 50_000, "/s")


def _verify() -> None:
    answer = json.loads(servers.manage("verify_signals", "--json"))
    assert not answer["findings"], answer["findings"][:3]
