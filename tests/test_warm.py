"""A command that is forked from a warm process does what it does when started anew."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm
from tests.installation import ROOT, Installation

SECONDS = 100.0
ENDED = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
ECHO = "import sys; print(sys.stdin.read()[::-1], 'LANG' in __import__('os').environ)"


def both(argo: Installation, *arguments: str, text: str = "") -> list[tuple[int, str, str]]:
    """Return exit code, output and errors of the warm command and of the ordinary one."""
    ended = [
        run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=argo.environment, input=text, timeout=SECONDS,
            capture_output=True, text=True, check=False,
        )
        for run in (warm.run, subprocess.run)
    ]  # fmt: skip
    return [(each.returncode, each.stdout, each.stderr) for each in ended]


@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [
        (["verify_signals"], "", 0),
        (["log_signal"], "{}", 1),
        (["nonsense"], "", 1),
        (["log_signal", "--nonsense"], "", 2),
        (["shell", "--verbosity", "0", "--command", ENDED], "", -15),
        (["shell", "--verbosity", "0", "--command", ECHO], "emoc dna kool", 0),
    ],
)
def test_a_warm_command_ends_as_an_ordinary_one_does(
    installation: Installation, arguments: list[str], text: str, code: int
) -> None:
    from_warm, ordinary = both(installation, *arguments, text=text)
    assert from_warm == ordinary
    assert ordinary[0] == code


def test_a_warm_command_sees_its_own_settings_alone(tmp_path: Path) -> None:
    asked = ("shell", "--verbosity", "0", "--command",
             "from django.conf import settings as s; print(s.DATA_DIR, s.SYNC_CONCURRENCY)"
    )  # fmt: skip
    for number in ("3", "5"):
        argo = Installation(tmp_path / number, {"SYNC_CONCURRENCY": number})
        assert argo.manage(*asked).stdout.split() == [str(argo.folder), number]


def test_a_warm_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "shell", "--command", "import time; time.sleep(60)"]
    environment = Installation(tmp_path).environment
    with pytest.raises(TimeoutError):
        warm.run(command, cwd=ROOT, env=environment, input="", timeout=3.0)
    assert Installation(tmp_path).manage("nonsense").returncode == 1
