"""A process that is killed in the middle leaves what is recognised, and it can be begun again."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from signals.backup import (
    Installation,
    NotABackup,
    Restoration,
    back_up,
    check_backup,
    files,
    mark_of,
)
from signals.backup import postgresql as postgresql_backup
from tests.signals.backup.conftest import ON_BOTH, VERSION
from tests.signals.journal.helpers import TIMEOUT, content, fork

MOST = 200
"""More moments than there are."""
BLOCK = 16 * 1024
"""So small that a child can also be killed in the middle of a file."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (files, postgresql_backup):
        monkeypatch.setattr(module, "BLOCK_BYTES", BLOCK)


def killed_at(turn: int, act: Callable[[Callable[[int], None]], object]) -> bool:
    """Run it in a child that kills itself at this moment; return whether it got that far.

    A moment is each progress and, twice, each sync: before and after it.
    """
    child = fork.Process(target=lambda: _run(turn, act))
    child.start()
    child.join(TIMEOUT)
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def _run(turn: int, act: Callable[[Callable[[int], None]], object]) -> None:
    for alias in connections:
        connections[alias].connection = None  # the parent's
    moments, real = iter(range(1, MOST)), os.fsync

    def moment(*_: object) -> None:
        if next(moments) == turn:
            os.kill(os.getpid(), signal.SIGKILL)

    def sync(descriptor: int) -> None:
        moment()
        real(descriptor)
        moment()

    os.fsync = sync  # type: ignore[assignment]  # it is only called with numbers
    act(moment)
    os._exit(0)


def turns() -> list[int]:
    """Return every moment at the beginning, and then every fifth."""
    return [*range(1, 12), *range(12, MOST, 5)]


@ON_BOTH
def test_an_interrupted_backup_is_recognised_and_can_be_begun_again(
    source: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    killed = 0
    for turn in turns():
        if not killed_at(turn, lambda moment: back_up(folder, source, VERSION, moment)):
            break
        killed += 1
        if (folder / "manifest.json").exists():  # killed after the last step
            break
        with pytest.raises(NotABackup, match="interrupted"):
            check_backup(folder)
    else:
        pytest.fail("it never ended")
    assert killed > 10
    manifest = check_backup(folder)
    assert {path.name for path in folder.iterdir()} - {"backup.unfinished"} == {
        *manifest.files, "manifest.json",
    }  # fmt: skip


@ON_BOTH
def test_an_interrupted_restore_is_recognised_and_goes_on(
    source: Installation, backup: Path, target: Installation
) -> None:
    restoration = Restoration(backup, check_backup(backup), target)
    folder = target.journal.path.parent

    def restore(moment: Callable[[int], None]) -> None:
        restoration.put_back(moment)
        restoration.finish()

    killed = 0
    for turn in turns():
        if not killed_at(turn, restore):
            break
        killed += 1
        if not mark_of(folder).exists() and (folder / "signals.id").exists():
            break  # killed after the last step
        assert mark_of(folder).exists() or not any(
            path for path in folder.iterdir() if not path.name.endswith(".unfinished")
        )
    else:
        pytest.fail("it never ended")
    assert killed > 10
    assert content(folder) == content(source.journal.path.parent)
    assert not list(folder.glob("*.unfinished"))
    assert target.database.holds(restoration.manifest)
