"""Each process counts in files of its own, which the next process continues."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from argo.metrics.counters import NodeCounters
from argo.metrics.slots import FILE_BYTES, KINDS
from tests.installation import ROOT

COUNTING = """
import os, sys
from pathlib import Path
from argo.metrics import slots
slots.install(Path(sys.argv[1]))
from prometheus_client import Counter, Gauge
things = Counter("things", "Things", ["kind"])
open_ones = Gauge("open_ones", "Open", multiprocess_mode="livesum")
things.labels("a").inc(int(sys.argv[2]))
open_ones.set(1)
print("counted", flush=True)
sys.stdin.readline()
"""
FORKING = COUNTING.replace(
    "print(",
    "if os.fork() == 0:\n    things.labels('a').inc(10)\n    os._exit(0)\nos.wait()\nprint(",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


def start(folder: Path, count: int, code: str = COUNTING) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(count)],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    return process


def end(process: "subprocess.Popen[str]") -> str:
    """Let the process end; return what it wrote to standard error."""
    return process.communicate("\n")[1]


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def total(folder: Path, name: str) -> float | None:
    """Return the sum of a metric's samples; None if it is not reported."""
    found = [
        sample.value
        for metric in NodeCounters(folder).collect()
        for sample in metric.samples
        if sample.name == name
    ]
    return sum(found) if found else None


def test_the_process_after_a_killed_one_goes_on_with_its_counts(folder: Path) -> None:
    kill(start(folder, 5))
    assert total(folder, "things_total") == 5
    end(start(folder, 3))
    assert total(folder, "things_total") == 8
    assert len(list(folder.glob("counter_*.db"))) == 1


def test_processes_that_run_at_once_are_added_up(folder: Path) -> None:
    running = [start(folder, count) for count in (1, 2, 4)]
    assert total(folder, "things_total") == 7
    assert total(folder, "open_ones") == 3
    for process in running:
        end(process)


def test_a_gauge_ends_with_its_process_and_a_count_does_not(folder: Path) -> None:
    killed, running = start(folder, 5), start(folder, 5)
    kill(killed)
    assert total(folder, "open_ones") == 1
    assert total(folder, "things_total") == 10
    end(running)
    assert total(folder, "open_ones") is None


def test_a_forked_child_counts_for_itself(folder: Path) -> None:
    end(start(folder, 5, FORKING))
    assert total(folder, "things_total") == 15


def test_the_files_are_reserved_and_have_room(folder: Path) -> None:
    end(start(folder, 1))
    for kind in KINDS:
        status = (folder / f"{kind}_0.db").stat()
        assert status.st_size == FILE_BYTES
        assert status.st_blocks * 512 >= FILE_BYTES
    declared = sum(len(metric.documentation) + 200 for metric in REGISTRY.collect())
    assert declared < FILE_BYTES / 20  # a metric may have twenty values


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system with no room for the files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "argo-test", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)  # noqa: S607


def test_on_a_full_disk_a_process_runs_and_says_that_it_is_not_counted(full_disk: Path) -> None:
    said = end(start(full_disk / "metrics", 5))
    assert "No space left on device" in said
    assert total(full_disk / "metrics", "things_total") is None


def test_a_limit_on_the_size_of_files_hurts_nobody(folder: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
    said = end(start(folder, 5, limit + COUNTING))
    assert "File too large" in said
    assert "Traceback" not in said


def test_a_folder_that_cannot_be_made_hurts_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = end(start(tmp_path / "file" / "metrics", 5))
    assert "are not in /metrics" in said
