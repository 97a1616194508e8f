"""From journal to rows on PostgreSQL: the sides run in a process of their own, on its database."""

import json
import subprocess
from collections.abc import Iterator

from tests.benchmarks.figures import Figure
from tests.benchmarks.workspace import Workspace
from tests.databases import empty_postgresql
from tests.installation import Installation
from tests.services import POSTGRESQL


def run(workspace: Workspace) -> Iterator[Figure]:
    """Make a database on the server of the tests, and measure there."""
    if not POSTGRESQL.answers():
        yield Figure(f"drain on PostgreSQL: no server on port {POSTGRESQL.port}", "not measured")
        return
    with empty_postgresql() as url:
        argo = Installation(workspace.folder / "postgresql", {"DATABASE_URL": url})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        arguments = ["drain_sides", *(["--quick"] if workspace.quick else [])]
        command = ["-m", "tests.benchmarks.run_one", *arguments]
        with argo.start(*command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield Figure(*json.loads(line))
    if process.returncode:
        raise RuntimeError(f"the sides ended with {process.returncode}")
