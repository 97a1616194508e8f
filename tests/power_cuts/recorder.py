"""Records the changes that Argo makes to files below one folder, and what it promises meanwhile.

The functions of `os` are wrapped, and files are opened by Python's own `_pyio`, which calls them. A
change that goes another way is noticed: an audit hook refuses what is not wrapped, and at the end
the trace, played through, must give the very folder that is on the disk.
"""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from signals import files
from signals.journal import Chunk, Journal, JournalError, JournalPosition
from tests.power_cuts.calls import Calls
from tests.power_cuts.disk import EVERYTHING, Disk
from tests.power_cuts.escapes import Escapes, NotModelled
from tests.power_cuts.nodes import Nodes
from tests.power_cuts.process import Tape
from tests.power_cuts.trace import Acknowledged, Given, Refused, Sent


class Recorder(Tape):
    """Records while it is entered; `disk()` is the disk before that.

    What is in folders with an `ignored` name is left out.
    """

    def __init__(self, root: Path, ignored: Sequence[str] = ()) -> None:
        super().__init__()
        self._nodes = Nodes(root, ignored)
        self._escapes = Escapes(self._nodes)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(Calls(self, self._nodes, self._escapes).recorded())
        self._stack.enter_context(self._escapes.refused())
        self._stack.enter_context(_promises_recorded(self))
        self._stack.enter_context(patch.object(files, "_named", set()))  # as in a new process
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self._nodes.close()
        if error == (None, None, None):
            self._check()

    def disk(self) -> Disk:
        """Return the disk as it was before the first step."""
        return self._nodes.disk()

    def disk_at_end(self) -> Disk:
        """Return the disk as it was after the last step."""
        disk = self.disk()
        for place, step in enumerate(self.trace):
            disk.take(place, step)
        return disk

    def _check(self) -> None:
        """Raise NotModelled if the trace does not give the folder as it is."""
        if self._escapes.found:
            raise NotModelled(self._escapes.found[0])
        expected, found = self.disk_at_end().after(EVERYTHING), self._nodes.contents()
        paths = expected.keys() | found.keys()
        wrong = sorted(path for path in paths if expected.get(path, 0) != found.get(path, 0))
        if wrong:
            raise NotModelled(f"the trace does not explain {', '.join(wrong)}")


@contextmanager
def _promises_recorded(tape: Tape) -> Iterator[None]:
    """Record what the journal is asked, and what it promises."""
    with ExitStack() as stack:
        for name, wrap in _WRAPS.items():
            stack.enter_context(patch.object(Journal, name, wrap(tape, getattr(Journal, name))))
        yield


@contextmanager
def _appending(tape: Tape, lines: Sequence[bytes]) -> Iterator[None]:
    sent = tuple(lines)
    tape.tell(Sent(sent))
    try:
        yield
    except JournalError:
        tape.tell(Refused(sent))
        raise
    tape.tell(Acknowledged(sent))


def _append(tape: Tape, real: Callable[[Journal, Sequence[bytes]], None]) -> Callable[..., None]:
    def append(journal: Journal, lines: Sequence[bytes]) -> None:
        with _appending(tape, lines):
            real(journal, lines)

    return append


def _append_async(
    tape: Tape, real: Callable[[Journal, bytes], Coroutine[Any, Any, None]]
) -> Callable[..., Coroutine[Any, Any, None]]:
    async def append_async(journal: Journal, line: bytes) -> None:
        with _appending(tape, [line]):
            await real(journal, line)

    return append_async


def _read(tape: Tape, real: Callable[..., Chunk | None]) -> Callable[..., Chunk | None]:
    def read(journal: Journal, position: JournalPosition, *, max_lines: int = 5000) -> Chunk | None:
        chunk = real(journal, position, max_lines=max_lines)
        if chunk is not None:
            tape.tell(Given(tuple(line.data for line in chunk.lines), chunk.end))
        return chunk

    return read


_WRAPS: dict[str, Callable[[Tape, Any], Callable[..., Any]]] = {
    "append": _append, "append_async": _append_async, "read": _read,
}  # fmt: skip
