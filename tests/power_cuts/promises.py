"""What Argo has promised at a moment, and whether it holds when Argo starts after a power cut."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from signals.journal import (
    START,
    Journal,
    JournalError,
    JournalPosition,
    JournalReplaced,
    Line,
    Offset,
)
from signals.ledger.records import BadLine, decode, json_object
from tests.power_cuts.trace import (
    Acknowledged,
    Given,
    HandedOut,
    PutBack,
    Refused,
    Sent,
    Step,
    TakenAway,
)

HOLE, GARBLED = "hole", "garbled"
"""A line that nobody sent and that is no signal, with or without bytes that were never written."""

Readers = Mapping[str, Callable[[], str]]
"""Read a secret or an identity as Argo does when it starts, by the name of its file."""


@dataclass
class Promises:
    """What was promised so far."""

    sent: set[bytes] = field(default_factory=set)
    acknowledged: set[bytes] = field(default_factory=set)
    rows: set[bytes] = field(default_factory=set)
    refused: set[bytes] = field(default_factory=set)
    undone: set[bytes] = field(default_factory=set)
    """Refused, and then cut off durably: a later write was acknowledged."""
    taken_away: set[bytes] = field(default_factory=set)
    cursor: JournalPosition = START
    handed_out: dict[str, set[str]] = field(default_factory=dict)
    was_taken_away: bool = False

    def take(self, step: Step) -> None:
        """Note what a step of a trace promises."""
        match step:
            case Sent(lines):
                self.sent.update(lines)
                self.refused.difference_update(lines)
                self.undone.difference_update(lines)
            case Acknowledged(lines):
                self.acknowledged.update(lines)
                self.undone |= self.refused
                self.refused.clear()
            case Refused(lines):
                self.refused.update(lines)
            case Given(lines, end):
                self.rows.update(lines)
                self.cursor = max(self.cursor, end)
            case HandedOut(name, value):
                self.handed_out.setdefault(name, set()).add(value)
            case TakenAway(lines):
                self.taken_away.update(lines)
                self.was_taken_away = True
            case PutBack():
                self.taken_away.clear()


@dataclass(frozen=True)
class Broken:
    """A promise that does not hold; `kind` is what is counted."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def broken(promises: Promises, journal: Journal, readers: Readers, new: bytes) -> Iterator[Broken]:
    """Start on the data folder of this journal; yield each promise that is broken.

    `new` is a line that is appended at the end.
    """
    yield from _broken_secrets(promises, readers)
    try:
        yield from _broken_journal(promises, journal, new)
    except JournalReplaced as replaced:
        yield Broken("lost", str(replaced))
    except JournalError as error:
        yield Broken("append", str(error))


def _broken_journal(promises: Promises, journal: Journal, new: bytes) -> Iterator[Broken]:
    found, end = _read(journal, START)
    unread, _ = _read(journal, _next(journal, promises))
    yield from _broken_lines(promises, found, set(unread))
    journal.append([new])
    appended, _ = _read(journal, end)
    if appended != [new]:
        yield Broken("append", f"{appended} instead of {new!r} was appended")


def _read(journal: Journal, position: JournalPosition) -> tuple[list[bytes], JournalPosition]:
    """Return the lines after the position, and where they end."""
    lines = []
    for chunk in journal.chunks(position):
        lines += [line.data for line in chunk.lines]
        position = chunk.end
    return lines, position


def _next(journal: Journal, promises: Promises) -> JournalPosition:
    """Return where a flush goes on."""
    if promises.was_taken_away:
        try:
            journal.check(promises.cursor)
        except JournalReplaced:
            return journal.restart(promises.cursor)
    return promises.cursor


def _broken_secrets(promises: Promises, readers: Readers) -> Iterator[Broken]:
    for name, read in readers.items():
        try:
            value = read()
        except Exception as error:  # noqa: BLE001  # whatever it is, Argo does not start
            yield Broken("secret", f"{name}: {error}")
            continue
        if len(value) not in (32, 50):
            yield Broken("secret", f"{name} is not whole: {value!r}")
        if promises.handed_out.get(name, {value}) != {value}:
            yield Broken("secret", f"{name} was handed out, and is another one now")


def _broken_lines(promises: Promises, found: list[bytes], unread: set[bytes]) -> Iterator[Broken]:
    there, promised = set(found), promises.acknowledged - promises.taken_away
    for line in promised - there:
        yield Broken("lost", f"acknowledged, and not in the journal: {line!r}")
    for line in promised - promises.rows - unread:
        yield Broken("lost", f"acknowledged, and no flush reads it: {line!r}")
    for line in promises.rows - promises.taken_away - there:
        yield Broken("lost", f"in the database, and not in the journal: {line!r}")
    if len(found) > len(there) and not promises.was_taken_away:
        twice = [line for line, count in Counter(found).items() if count > 1]
        yield Broken("doubled", f"in the journal twice: {twice}")
    for line in promises.undone & there:
        yield Broken("foreign", f"refused, and in the journal: {line!r}")
    for line in there - promises.sent:
        yield Broken(_kind_of(line), repr(line))


def _kind_of(data: bytes) -> str:
    """Return which kind of promise a line breaks that nobody sent."""
    if b"\0" in data:
        return HOLE
    line = Line(Offset(1, 0), data)
    try:
        decode(json_object(line), line)
    except BadLine:
        return GARBLED
    return "foreign"
