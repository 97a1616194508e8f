"""A machine with a disk of its own, on which processes of Argo run, die and start again."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from argo.environment import Environment
from argo.private import close_folder
from argo.secret import load_or_make_secret
from signals.clock import utc_now
from signals.journal import Journal
from signals.ledger.records import encode
from tests.power_cuts.disk import Luck
from tests.power_cuts.layout import lay_out
from tests.power_cuts.promises import Broken, Promises, broken
from tests.power_cuts.recorder import Recorder
from tests.power_cuts.trace import HandedOut, PutBack, Sent, TakenAway
from tests.samples import a_signal

SECRET, IDENTITY, LOG = "secret.key", "signals.id", "signals.log"
IN_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder in memory, where syncs cost nothing


def a_line() -> bytes:
    """Return the journal line of another signal."""
    return encode(a_signal(), utc_now(), "api")[1]


def lines(count: int) -> list[bytes]:
    return [a_line() for _ in range(count)]


class World:
    """The disk is the folder `root`; `after` is where disks after a power cut are laid out."""

    def __init__(self, base: Path, segment_bytes: int) -> None:
        self.root, self.after = base / "disk", base / "after"
        self.root.mkdir()
        self.after.mkdir()
        self.segment_bytes = segment_bytes
        self.recorder = Recorder(self.root)
        self._journals: list[Journal] = []

    @property
    def data(self) -> Path:
        return self.root / "srv" / "argo"

    @contextmanager
    def recording(self, ignored: Sequence[str] = ()) -> Iterator[Recorder]:
        """Record what happens on the disk from now on; leave out folders with an ignored name."""
        self.recorder = Recorder(self.root, ignored)
        try:
            with self.recorder:
                yield self.recorder
        finally:
            for journal in self._journals:
                journal.close()  # this changes the folder, but the trace has ended
            self._journals.clear()

    def journal(self) -> Journal:
        """Return the journal as one process has it."""
        journal = Journal(self.data / LOG, segment_bytes=self.segment_bytes)
        self._journals.append(journal)
        return journal

    def start(self, *, with_secret: bool = True) -> None:
        """Start a process as the settings do."""
        data = start(self.root)
        if with_secret:
            self.recorder.tell(HandedOut(SECRET, load_or_make_secret(data / SECRET)))

    def take_away(self, how: str) -> None:
        """Delete, move or replace the active file, as a person might."""
        path = self.data / LOG
        self.recorder.tell(TakenAway(tuple(path.read_bytes().splitlines())))
        if how == "delete":
            path.unlink()
        elif how == "move":
            path.rename(path.with_suffix(".elsewhere"))
        else:
            other, line = path.with_suffix(".other"), a_line()
            self.recorder.tell(Sent((line,)))
            other.write_bytes(line + b"\n")
            other.replace(path)

    def put_back(self) -> None:
        self.recorder.tell(PutBack())

    def cut_the_power(self, luck: Luck) -> None:
        """Leave on the disk what this luck leaves after the trace, and start from there."""
        lay_out(self.root, self.recorder.disk_at_end().after(luck))

    def look(self, promises: Promises) -> Iterator[Broken]:
        """Start Argo on the disk that was laid out; yield the promises that do not hold."""
        data = start(self.after)
        with closing(Journal(data / LOG, segment_bytes=self.segment_bytes)) as journal:
            readers = {
                SECRET: lambda: load_or_make_secret(data / SECRET),
                IDENTITY: lambda: journal.identity,
            }
            yield from broken(promises, journal, readers, a_line())


def start(root: Path) -> Path:
    """Make the data folder as the settings do, and return it."""
    data = Environment().folder("FOLDER_OF_THIS_WORLD", "srv/argo", base=root)
    close_folder(data)
    return data


@contextmanager
def a_world(segment_bytes: int = 4096) -> Iterator[World]:
    """Make a machine with an empty disk; its segments have at least so many bytes."""
    parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="argo-power-cuts-", dir=parent) as base:
        yield World(Path(base), segment_bytes)
