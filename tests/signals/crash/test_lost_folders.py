"""The broker's folder or the journal's file is removed under running processes: nothing is lost."""

import shutil
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.installation import Installation
from tests.signals.crash.pool_client import ProcessPool

pytestmark = pytest.mark.slow
MANY = 100
"""Fewer acknowledged signals would prove little."""
ENOUGH = {"writer": 15, "async-writer": 60, "logger": 3}
"""More lines than a process can have under way: after that many it has begun another write."""


@pytest.mark.parametrize("taken", ["broker", "signals.log"])
def test_nothing_is_lost_when_a_folder_or_file_is_removed_under_running_processes(
    installation: Installation, taken: str
) -> None:
    quiet = {"ARGO_LOG_LEVEL": "ERROR", "SIGNAL_FLUSH_LINGER": "0.01"}
    argo = Installation(installation.folder, quiet)
    pool = ProcessPool(argo)
    writers = {pool.start(role): enough for role, enough in ENOUGH.items()}
    flusher = pool.start("flusher")
    for _ in range(8):
        _take_away(argo, taken)
        _until_each_has_written_anew(argo, writers)
    for pid in (*writers, flusher):  # the flusher lives longest
        pool.end(pid)
    pool.close()
    _all_is_stored(argo)


def test_a_task_that_cannot_be_sent_is_only_a_warning(installation: Installation) -> None:
    argo = Installation(installation.folder, {"ARGO_LOG_LEVEL": "WARNING"})
    log = argo.folder / "log"
    with log.open("w") as stderr:
        pool = ProcessPool(argo, stderr=stderr)
        pid = pool.start("async-writer")
        _take_away(argo, "broker")
        (argo.folder / "broker").write_text("not a folder any more")
        _wait_until(lambda: "No worker could be woken" in log.read_text())
        enough = max(len(_acknowledged(argo)), MANY) + 1
        _wait_until(lambda: len(_acknowledged(argo)) >= enough)
        pool.end(pid)
        pool.close()
    assert "ERROR" not in log.read_text()
    (argo.folder / "broker").unlink()
    _all_is_stored(argo)


def _acknowledged(argo: Installation) -> list[str]:
    """Return the ids that were acknowledged; none if no writer has come so far."""
    file = argo.folder / "acknowledged"
    return file.read_text().split() if file.exists() else []


def _all_is_stored(argo: Installation) -> None:
    argo.manage("flush_signals")  # exits with 1, because the lost file is a dead letter
    acknowledged = _acknowledged(argo)
    stored = [row[0] for row in argo.query("SELECT signal_id FROM signals")]
    assert len(acknowledged) > MANY
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    assert argo.query("PRAGMA integrity_check") == [("ok",)]


def _until_each_has_written_anew(argo: Installation, writers: dict[int, int]) -> None:
    """Wait for a new write of each: only then does a process put back the file it has open."""
    path = argo.folder / "acknowledged"
    before = path.stat().st_size if path.exists() else 0

    def have_written() -> bool:
        lines = path.read_bytes()[before:].decode().splitlines() if path.exists() else []
        written = Counter(line.partition("-")[0] for line in lines)
        return all(written[str(pid)] >= enough for pid, enough in writers.items())

    _wait_until(have_written)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "the condition never became true"
        time.sleep(0.05)


def _take_away(argo: Installation, taken: str) -> None:
    path = argo.folder / taken
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
