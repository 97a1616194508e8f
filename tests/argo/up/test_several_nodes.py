"""Several machines, with one host name, one database and one broker, as people run them."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.argo.up.conftest import StartUp
from tests.argo.up.processes import wait_until
from tests.argo.up.test_up import READY, children_of
from tests.installation import Installation
from tests.samples import signals

pytestmark = [
    pytest.mark.slow,
    pytest.mark.services("postgresql", "rabbitmq"),
]
WORKER = ("-m", "celery", "-A", "argo", "worker", "-Q", "flush", "-P", "threads", "-c", "1")


def _nodes(argo: Installation) -> dict[str, Any]:
    found = json.loads(argo.manage("nodes", "--json").stdout)["nodes"]
    return {Path(node["folder"]).name: node for node in found}


def _log(argo: Installation, count: int) -> None:
    """Accept signals without storing them: only the flush worker of this machine does that."""
    sent = "\n".join(map(json.dumps, signals(count)))
    code = (
        "import json, sys; from signals.tracker import SignalTracker\n"
        "SignalTracker('test').accept([json.loads(line) for line in sys.stdin])"
    )
    done = argo.manage("shell", "--verbosity", "0", "--command", code, stdin=sent)
    assert done.returncode == 0, done.stderr


def test_nodes_live_side_by_side_a_copy_is_refused_and_a_lost_one_is_adopted(
    machines: list[Installation], start_up: StartUp
) -> None:
    one, two, copy = machines
    runs = [start_up(argo) for argo in (one, two)]
    for running in runs:
        running.wait_for(re.escape(READY))
    for argo in (one, two):
        _log(argo, 50)
    wait_until(lambda: len(_exported(one)) == 100)
    assert {name: node["state"] for name, node in _nodes(one).items()} == {
        "one": "alive", "two": "alive",
    }  # fmt: skip

    shutil.copytree(two.folder, copy.folder, ignore=shutil.ignore_patterns("*.lock"))
    refused = start_up(copy)
    assert refused.end() == 1
    assert "has the signals.id of another data folder that is in use" in refused.text
    worker = copy.start(*WORKER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert "has the signals.id of another" in worker.communicate(timeout=120)[0]
    assert worker.returncode == 1
    flush = copy.manage("flush_signals")
    assert flush.returncode == 1
    assert "has the signals.id of another" in flush.stderr

    for pid in [*(child.pid for child in children_of(runs[1])), runs[1].process.pid]:
        os.kill(pid, signal.SIGKILL)
    runs[1].end()
    _log(two, 20)  # nobody stores them
    name = _nodes(one)["two"]["node"]
    early = one.manage("adopt_journal", str(two.folder))
    assert early.returncode == 1
    assert "is alive" in early.stderr
    with psycopg.connect(one.settings["DATABASE_URL"].replace("postgres:", "postgresql:")) as own:
        own.execute("UPDATE nodes SET seen_at = seen_at - interval '1 minute'")  # time passes
    assert _nodes(one)["two"]["state"] == "gone"
    assert one.manage("nodes", "--retire", name, "--why", "lost").returncode == 1
    adopted = one.manage("adopt_journal", str(two.folder), "--json")
    assert adopted.returncode == 0, adopted.stderr
    assert json.loads(adopted.stdout)["flushed"]["stored"] == 20
    assert one.manage("nodes", "--retire", name, "--why", "lost").returncode == 0
    assert one.manage("verify_signals").returncode == 0

    runs[0].signal(signal.SIGTERM)
    assert runs[0].end() == 0
    left = _nodes(one)
    assert {name: node["state"] for name, node in left.items()} == {
        "one": "stopped", "two": "retired",
    }  # fmt: skip
    assert left["one"]["is_drained"]


def _exported(argo: Installation) -> list[str]:
    return argo.manage("export_signals", "-").stdout.splitlines()
