"""Kills what enters, signs and publishes at each point between them, again and again.

Run as `python -m tests.signals.record.log.kills [ROUNDS [SEED]]`: 300 kills in a folder of its own,
and in the empty database at DATABASE_URL if that is set.
Each round is a child process that is killed at its n-th sync, rename, statement or commit. Whatever
was shown to anybody, the record that is there at the end must continue it.
"""

import os
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from signals.record.folder import TileFolder
from signals.record.formats.entries import digest_of, parse_entry, salt_of
from signals.record.formats.policy import parse_policy
from tests.installation import Installation

ORIGIN = "argo.example/record"
POINTS = 180
"""More points than most cycles have."""
FAILED = 100
"""The exit code of a child process that raised an error."""


def main(rounds: int, seed: int) -> None:
    """Kill as often as that in this process's installation. Raises AssertionError."""
    import django

    django.setup()
    for name in ("signals.record.log.service", "signals.tracker", "tests.samples"):
        import_module(name)  # once, not in each child
    chance = random.Random(seed)
    seen: dict[int, bytes] = {}
    points = [1 + int((each + chance.random()) * POINTS / rounds) for each in range(rounds)]
    chance.shuffle(points)
    killed = sum(_child(point, number, seen) for number, point in enumerate(points))
    _child(10**9, rounds, seen)
    _child(10**9, rounds + 1, seen)
    lines = forked(lambda: _check(seen))
    assert lines == 0, "the record is wrong"
    print(f"{rounds} rounds, {killed} killed, {len(seen)} checkpoints seen, {max(seen)} entries")


def _child(point: int, number: int, seen: dict[int, bytes]) -> bool:
    """Run one cycle that dies at a point; look at what is shown then. Return whether it died."""
    status = forked(lambda: _cycle(point, number))
    assert status in (0, signal.SIGKILL), status
    from django.conf import settings

    shown = TileFolder(settings.DATA_DIR / "record").checkpoint()
    if shown is not None:
        assert shown.size >= max(seen, default=0), "the record went back"
        assert seen.setdefault(shown.size, shown.root) == shown.root, "signed twice differently"
    return status == signal.SIGKILL


def forked(work: Callable[[], object]) -> int:
    """Do the work in a child process; return how it ended: 0, or the signal that killed it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(FAILED)
    return abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _cycle(point: int, number: int) -> None:
    from signals import config
    from signals.record.log import service
    from signals.tracker import SignalTracker
    from tests.samples import a_signal

    tracker = SignalTracker("python", wakes_worker=False)
    tracker.accept([a_signal(signal_id=f"s{number}-{each}") for each in range(number % 7 + 1)])
    config.flusher().flush()
    config.sequencer().assign()
    _die_at(point)
    service.enterer().enter()
    publisher = service.publisher()
    assert publisher is not None
    if number % 5 == 4:
        publisher.opening.keys.make_next()
    publisher.publish()


def _die_at(point: int) -> None:
    """Kill this process at its n-th sync, rename, statement or commit: before or after it."""
    from django.db import connections

    left = [point]
    database: Any = connections["default"]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            _count(left)
            result = call(*args, **kwargs)
            _count(left)
            return result

        return called

    os.fsync, os.fdatasync = counted(os.fsync), counted(os.fdatasync)
    os.replace, os.rename = counted(os.replace), counted(os.rename)
    database._commit = counted(database._commit)
    database.execute_wrappers.append(
        lambda execute, *given: counted(execute)(*given)  # each statement
    )


def _count(left: list[int]) -> None:
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def _check(seen: dict[int, bytes]) -> None:
    """Check that the record continues all that was seen, and has each line once, in order."""
    from django.conf import settings

    from signals.config import journal
    from signals.record.log.keys import KeyFiles
    from signals.record.log.salt import salt_key
    from signals.record.verifier.check import Asked
    from signals.record.verifier.cli import verify

    folder, size = TileFolder(settings.DATA_DIR / "record"), max(seen)
    tiles = folder.tiles(size)
    for each, root in seen.items():
        assert tiles.hash_of(0, each) == root, f"the checkpoint of {each} is of another history"
    found = [parse_entry(data) for data in tiles.entries(0, size)]
    there = [each.digest for each in found if each.digest is not None]
    key, own = salt_key(journal()), journal()
    lines = [line for chunk in own.chunks() for line in chunk.lines]
    wanted = [
        digest_of(salt_of(key, own.identity, *line.offset, line.data), line.data) for line in lines
    ]
    assert there == wanted, f"{len(wanted)} lines have {len(there)} entries, or in another order"
    assert sum(each.kind == "strategy" for each in found) == 1
    signers = KeyFiles(settings.DATA_DIR, ORIGIN).both()
    policy = "".join(f"log {each.key}\n" for each in signers) + "quorum none\n"
    report = verify(str(folder.path), Asked(parse_policy(policy.encode())))
    assert not report.faults, report.text()


def killed(installation: Installation, rounds: int, seed: int) -> str:
    """Kill as often as that in an installation; return what is found."""
    argo = Installation(installation.folder, installation.settings | {"RECORD_ORIGIN": ORIGIN})
    process = argo.start(
        "-m",
        "tests.signals.record.log.kills",
        "--here",
        str(rounds),
        str(seed),
        stdout=-1,
        stderr=-2,
    )
    output, _ = process.communicate(timeout=3600)
    assert process.returncode == 0, output
    return output


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
