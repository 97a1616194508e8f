"""What the processes of `up` load, and what they do not: memory that a small machine has not."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.argo.up.processes import PATIENCE, Running, end_for_good, wait_until
from tests.argo.up.test_up import child, get
from tests.installation import Installation

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks the processes of up"),
]
HEAVY = {
    "pandas", "scipy", "arch", "statsmodels", "talib", "exchange_calendars", "pyarrow", "alpaca",
    "apprise", "bokeh_sampledata", "prompt_toolkit", "celery.bin.celery",
}  # fmt: skip
"""Modules that no idle process needs: each takes 10 MiB or more, pandas 50."""
SHOW = """
import json, sys
import django; django.setup()
from argo.up import preload
preload._load()
{more}
print(json.dumps(sorted(sys.modules)))
"""
ROLES = {
    "web, pages": "import argo.wsgi; from argo.site.warming import warm_up; warm_up()",
    "beat": "from argo.beat import LockedScheduler; LockedScheduler(app=preload.app, lazy=True)",
    "flush": "from signals.tasks import flush, sequence; flush(); sequence()",
    "sync": "from sync.tasks import deliver, send_events; deliver(); send_events()",
    "execution": "from execution.tasks import execute, monitor, reconcile; "
    "execute(); monitor(); reconcile()",
    "default": "from argo.tasks import sample; from signals.tasks import alerts, sum_signals; "
    "sample(); alerts(); sum_signals()",
}
"""What the processes of each role do while nothing comes in."""
READY = r"argo +\| Argo is ready"


@pytest.mark.parametrize("role", ROLES)
def test_an_idle_process_loads_no_heavy_library(installation: Installation, role: str) -> None:
    code = SHOW.format(more=ROLES[role])
    with installation.start("-c", code, stdout=subprocess.PIPE) as process:  # not a warm one
        printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert HEAVY & set(json.loads(printed.splitlines()[-1])) == set()


@pytest.fixture
def small(tmp_path: Path, port: int) -> Iterator[Running]:
    """Run `up --small` on a new installation, until it is ready."""
    argo = Installation(tmp_path / "new", {"ARGO_WEB_PORT": str(port)})
    process = argo.start(
        "manage.py", "up", "--small", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    running = Running(process)
    running.wait_for(READY)
    yield running
    running.kill_all()


def test_a_small_machine_has_few_processes_that_go_on_without_the_one_that_forked_them(
    small: Running, port: int
) -> None:
    family = psutil.Process(small.process.pid).children(recursive=True)
    assert len(family) == 5  # web, beat, flush, work, and the one that forks them
    web, preloaded = child(small, "web"), child(small, "preloaded")

    end_for_good(preloaded)
    assert get(f"http://127.0.0.1:{port}/api/health")["status"] == "ok"
    end_for_good(web)
    small.wait_for("web ended by SIGKILL")
    wait_until(lambda: answers(port))
    log = small.text
    assert "Processes load Argo anew from now on" in log or "restart 1 follows" in log

    small.signal(signal.SIGTERM)
    assert small.end() == 0
    assert not any(process.is_running() for process in family)


def test_the_processes_share_most_of_their_memory(small: Running) -> None:
    """Each alone takes more than 100 MiB, so five would take more than 500."""
    family = [psutil.Process(small.process.pid)]
    family += family[0].children(recursive=True)
    shares = [process.memory_full_info().pss / 2**20 for process in family]
    assert sum(shares) < 350


def answers(port: int) -> bool:
    try:
        return bool(get(f"http://127.0.0.1:{port}/api/health"))
    except OSError:  # of requests, too
        return False
