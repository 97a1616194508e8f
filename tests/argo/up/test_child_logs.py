"""Every line of a child is kept in its file; a person sees the warnings and errors."""

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from argo.up import log_file
from argo.up.child_logs import ChildLogs

INFO = "2026-01-02T03:04:05.678Z INFO sync.some: fine\tprocess=sync node=a"
WARNING = INFO.replace("INFO", "WARNING")
JSON_INFO = '{"timestamp":"2026-01-02T03:04:05.678Z","level":"info","event":"fine"}'
JSON_ERROR = JSON_INFO.replace('"info"', '"error"')
DEBUG, ERROR = INFO.replace("INFO", "DEBUG"), INFO.replace("INFO", "ERROR")
LOG_LINES = (DEBUG, INFO, WARNING, ERROR, JSON_INFO, JSON_ERROR)
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


class Logs:
    """Logs of `sync` in a folder, and what is printed."""

    def __init__(self, folder: Path, *, everything: bool = False) -> None:
        self.folder = folder / "logs"
        self.printed: list[tuple[str, str]] = []
        self._logs = ChildLogs(
            self.folder, ["argo", "sync"], lambda name, line: self.printed.append((name, line)),
            hide=lambda text: text.replace("secret", "***"), everything=everything,
        )  # fmt: skip

    def add(self, *lines: str, name: str = "sync") -> list[str]:
        """Add lines; return those that are printed."""
        self.printed.clear()
        for line in lines:
            self._logs.add(name, line)
        return [line for _, line in self.printed]

    def close(self) -> None:
        self._logs.close()

    def kept(self) -> list[str]:
        """Return the lines of the file, without the time that others than the log's get."""
        lines = (self.folder / "sync.log").read_text().splitlines()
        return [line if line in LOG_LINES else TIME.sub("", line) for line in lines]


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    made = Logs(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("line", [WARNING, ERROR, JSON_ERROR,
                                  "Traceback (most recent call last):", "Killed"])  # fmt: skip
def test_warnings_errors_and_what_is_no_log_line_are_printed(logs: Logs, line: str) -> None:
    assert logs.add(line) == [line]
    assert logs.kept() == [line]


@pytest.mark.parametrize("line", [INFO, DEBUG, JSON_INFO,
                                  "worker: Warm shutdown (MainProcess)"])  # fmt: skip
def test_other_lines_are_only_kept(logs: Logs, line: str) -> None:
    assert logs.add(line) == []
    assert logs.kept() == [line]


def test_a_traceback_follows_its_line(logs: Logs) -> None:
    more = "    | ValueError: wrong"
    assert logs.add(WARNING, more, INFO, more, WARNING, more) == [WARNING, more] * 2


def test_all_lines_are_printed_if_that_is_wanted(tmp_path: Path) -> None:
    with closing(Logs(tmp_path, everything=True)) as logs:
        assert logs.add(INFO, WARNING) == [INFO, WARNING]


def test_secrets_and_control_characters_are_neither_kept_nor_printed(logs: Logs) -> None:
    assert logs.add("with secret \x1b[2J\u202e") == ["with *** \\x1b[2J\\u202e"]
    assert logs.kept() == ["with *** \\x1b[2J\\u202e"]


def test_a_process_without_a_file_is_printed_only(logs: Logs) -> None:
    assert logs.add("the secret", name="alpine") == ["the secret"]
    assert not logs.folder.exists()


def test_files_are_rotated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 1000)
    with closing(Logs(tmp_path)) as small:
        small.add(*[INFO] * 200)
    names = sorted(path.name for path in small.folder.iterdir())
    assert names == ["sync.log", *(f"sync.log.{n}" for n in range(1, log_file.BACKUPS + 1))]
    assert all(path.stat().st_size <= 1000 for path in small.folder.iterdir())


def test_a_full_disk_is_reported_once_and_again_when_it_is_over(logs: Logs) -> None:
    logs.folder.mkdir()
    link = logs.folder / "sync.log"
    link.symlink_to("/dev/full")

    assert logs.add(WARNING, INFO, INFO) != []
    (report,) = [line for name, line in logs.printed if name == "argo"]
    assert "sync.log cannot be written" in report
    assert "No space left on device" in report
    assert WARNING in [line for _, line in logs.printed]

    assert logs.add(INFO) == []


def test_a_folder_that_cannot_be_made_is_reported_and_used_once_it_can(
    logs: Logs, tmp_path: Path
) -> None:
    logs.folder.write_text("in the way")
    (report,) = logs.add(INFO, INFO, INFO)
    assert "sync.log cannot be written" in report

    os.unlink(logs.folder)
    (report,) = logs.add(INFO)
    assert report.endswith("sync.log is written again; 3 lines are missing.")
    assert logs.kept() == [INFO]
