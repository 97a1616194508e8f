"""Kills the process that asks witnesses at each point between question, answer, row and mark.

Run as `python -m tests.sync.record.kills [ROUNDS [SEED]]`: 300 kills in a folder of its own, and in
the empty database at DATABASE_URL if that is set. Each round is a child process that is killed at
its n-th sync, rename, statement or commit, on any of its threads. At the end the record has each
mark once, with its checkpoint, and nothing is missing.
"""

import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

from signals.record.folder import TileFolder
from signals.record.formats.entries import parse_entry
from signals.record.formats.policy import parse_policy
from signals.record.signing import WitnessSigner
from signals.record.verifier.check import Asked
from signals.record.verifier.cli import verify
from tests.installation import Installation
from tests.signals.record.log.kills import ORIGIN, forked
from tests.sync.record.witness_server import Witness, serving

POINTS = 130
"""About as many points as asking two witnesses has."""
SIGNERS = [WitnessSigner(f"witness.example/w{number}", bytes([number]) * 32) for number in (1, 2)]
NEVER = 10**9


def main(rounds: int, seed: int) -> None:
    """Kill as often as that in this process's installation. Raises AssertionError."""
    import django

    django.setup()
    for name in ("signals.record.log.service", "sync.record.running", "tests.samples"):
        import_module(name)  # once, not in each child
    chance = random.Random(seed)
    points = [1 + int((each + chance.random()) * POINTS / rounds) for each in range(rounds)]
    chance.shuffle(points)
    with serving(Witness(SIGNERS[0])) as one, serving(Witness(SIGNERS[1])) as two:
        killed = sum(_killed(point, number, [one, two]) for number, point in enumerate(points))
        for number in (rounds, rounds + 1):
            assert not _killed(NEVER, number, [one, two])
        marks = _check([one, two])
    print(f"{rounds} rounds, {killed} killed, {marks} marks, {one.size} entries witnessed")


def _killed(point: int, number: int, witnesses: list[Witness]) -> bool:
    """Run one cycle that dies at a point; return whether it died."""
    status = forked(lambda: _cycle(point, number, witnesses))
    assert status in (0, signal.SIGKILL), status
    return status == signal.SIGKILL


def _cycle(point: int, number: int, witnesses: list[Witness]) -> None:
    from django.conf import settings

    from signals import config
    from signals.record.log import service
    from signals.tracker import SignalTracker
    from sync.record.running import Runner
    from tests.samples import a_signal

    settings.RECORD_WITNESSES = [each.named for each in witnesses]
    settings.RECORD_WITNESSES_NEEDED = 2
    settings.RECORD_WITNESS_INTERVAL = 0.0  # each cycle begins a round
    SignalTracker("python", wakes_worker=False).accept([a_signal(signal_id=f"s{number}")])
    config.flusher().flush()
    config.sequencer().assign()
    service.enterer().enter()
    publisher = service.publisher()
    assert publisher is not None
    publisher.publish()
    _die_at(point)
    Runner().witness()
    publisher.publish()


def _die_at(point: int) -> None:
    """Kill this process at its n-th sync, rename, statement or commit: before or after it."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    left, lock = [point], Lock()

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            count()
            result = call(*args, **kwargs)
            count()
            return result

        return called

    def count() -> None:
        with lock:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    os.fsync, os.replace, os.rename = counted(os.fsync), counted(os.replace), counted(os.rename)
    wrapped: Any = BaseDatabaseWrapper
    wrapped._commit = counted(wrapped._commit)
    make = wrapped.make_cursor

    def make_cursor(self: Any, cursor: Any) -> Any:  # noqa: ANN401
        made = make(self, cursor)
        made.execute, made.executemany = counted(made.execute), counted(made.executemany)
        return made

    wrapped.make_cursor = make_cursor


def _check(witnesses: list[Witness]) -> int:
    """Check the record that is there at the end; return how many marks it has."""
    from django.conf import settings

    from signals.record.log.keys import KeyFiles
    from signals.record.quorum import parse_quorum

    folder = TileFolder(settings.DATA_DIR / "record")
    shown = folder.checkpoint()
    assert shown is not None
    entries = map(parse_entry, folder.tiles(shown.size).entries(0, shown.size))
    marks = [each.digest for each in entries if each.kind == "mark"]
    kept = {each.name for each in (folder.path / "checkpoints").iterdir() if each.name[0] != "."}
    assert len(set(marks)) == len(marks), "a checkpoint is marked twice"
    assert set(marks) == kept, "a mark has no checkpoint, or a checkpoint no mark"
    for each in witnesses:
        tiles = folder.tiles(shown.size)
        assert tiles.hash_of(0, each.size) == each.root, "a witness has seen another history"
    keys = [each.key for each in KeyFiles(settings.DATA_DIR, ORIGIN).both()]
    policy = parse_quorum([each.named for each in witnesses], 2).policy(keys)
    report = verify(str(folder.path), Asked(parse_policy(policy)))
    assert not report.faults, report.text()
    return len(marks)


def killed(installation: Installation, rounds: int, seed: int) -> str:
    """Kill as often as that in an installation; return what is found."""
    argo = Installation(installation.folder, installation.settings | {"RECORD_ORIGIN": ORIGIN})
    numbers = (str(rounds), str(seed))
    process = argo.start("-m", "tests.sync.record.kills", "--here", *numbers, stdout=-1, stderr=-2)
    output, _ = process.communicate(timeout=3600)
    assert process.returncode == 0, output
    return str(output)


def own(rounds: int, seed: int) -> None:
    """Kill as often as that in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        given = {key: os.environ[key] for key in ("DATABASE_URL",) if key in os.environ}
        argo = Installation(Path(name) / "argo", given)
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        print(f"seed {seed}:", killed(argo, rounds, seed))


if __name__ == "__main__":
    arguments = [each for each in sys.argv[1:] if each != "--here"]
    numbers = [int(each) for each in arguments] + [300, random.randrange(2**32)][len(arguments) :]
    (main if "--here" in sys.argv else own)(*numbers)
