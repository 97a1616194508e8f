"""A test ends in time and leaves no process behind, or it fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.installation import ROOT

START = """
import os, subprocess, sys, time, pytest
import tests.leftovers
tests.leftovers.GRACE = 0.2
def start(code="import time; time.sleep(600)", **options):
    return subprocess.Popen([sys.executable, "-c", code], text=True, **options)
def report(*pids):
    with open("pids", "a") as file:
        file.writelines(f"{pid}\\n" for pid in pids)
"""
A_CHILD = START + "def test_it(): report(start().pid)"
AN_ORPHAN = (
    START
    + """
ORPHAN = '''
import subprocess, sys
code = "import time; time.sleep(600)"
print(subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL).pid)
'''
def test_it():
    report(int(start(ORPHAN, stdout=subprocess.PIPE).communicate()[0]))
"""
)
ENDED = START + "def test_it(): start('pass').wait()"
SHARED = (
    START
    + """
@pytest.fixture(scope="module")
def server():
    process = start()
    yield process
    process.kill()
def test_one(server): assert server.poll() is None
def test_two(server): assert server.poll() is None
"""
)
SHARED_THAT_STARTS_OTHERS = (
    START
    + """
SERVER = '''
import subprocess, sys
sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
for line in sys.stdin:
    child = subprocess.Popen(sleeping)
    print("started", flush=True)
child.kill()
child.wait()
'''
@pytest.fixture(scope="module")
def server():
    with start(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
def test_one(server):
    print(file=server.stdin, flush=True)
    assert server.stdout.readline()
def test_two(server): pass
"""
)
SHARED_AND_LEFT = (
    START
    + """
@pytest.fixture(scope="session")
def server():
    report(start().pid)
def test_one(server): pass
def test_two(server): pass
"""
)
SLOWED = START + "def test_it(): os.nice(1)\ndef test_next(): pass"
HANGING = START + "def test_it(): report(start().pid); time.sleep(600)\ndef test_next(): pass"


def run(folder: Path, code: str, *options: str) -> str:
    """Run this code as a file of tests of its own; return what pytest prints."""
    (folder / "test_inner.py").write_text(code)
    (folder / "pytest.ini").write_text("[pytest]\n")
    plugins = ("-p", "tests.leftovers", "-p", "no:cacheprovider", "-p", "no:django")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return ended.stdout + ended.stderr


def the_process(folder: Path) -> int:
    """Return the process id that the inner test reported."""
    (pid,) = (folder / "pids").read_text().split()
    return int(pid)


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("code", [A_CHILD, AN_ORPHAN, SHARED_AND_LEFT])
def test_a_test_that_leaves_a_process_behind_fails_and_the_process_ends(
    tmp_path: Path, code: str
) -> None:
    said = run(tmp_path, code)

    pid = the_process(tmp_path)
    assert re.search(r"passed, 1 error", said), said
    assert f"left processes behind: {pid} (" in said
    assert not runs(pid)


@pytest.mark.parametrize("code", [ENDED, SHARED, SHARED_THAT_STARTS_OTHERS])
def test_what_has_ended_and_what_tests_share_is_no_leftover(tmp_path: Path, code: str) -> None:
    assert re.search(r"\d passed in", run(tmp_path, code))


def test_a_test_that_lowers_the_priority_of_all_later_ones_fails_and_they_do_not(
    tmp_path: Path,
) -> None:
    said = run(tmp_path, SLOWED)
    assert "left this process with niceness" in said
    assert "2 passed, 1 error" in said


def test_a_test_that_hangs_is_ended_and_the_next_one_runs(tmp_path: Path) -> None:
    said = run(tmp_path, HANGING, "--timeout=1", "--timeout-method=signal")

    pid = the_process(tmp_path)
    assert "1 failed, 1 passed, 1 error" in said
    assert "Timeout (>1.0s)" in said
    assert not runs(pid)


def test_every_test_has_a_time_limit(request: pytest.FixtureRequest) -> None:
    assert float(request.config.getini("timeout")) > 0
    assert request.config.getini("timeout_method") == "signal"
