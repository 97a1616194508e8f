"""Records the changes that Argo makes to files below one folder, and what it promises meanwhile.

The functions of `os` are wrapped, and files are opened by Python's own `_pyio`, which calls them. A
change that goes another way is noticed: an audit hook refuses every call that is not wrapped, and
at the end the trace, played through, must give the very folder that is on the disk.
"""

import _pyio
import builtins
import errno
import io
import mmap
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self
from unittest import mock

from signals.journal import Chunk, Journal, JournalError, JournalPosition
from tests.power_cuts.disk import EVERYTHING, Disk
from tests.power_cuts.layout import contents
from tests.power_cuts.trace import (
    Acknowledged,
    Event,
    Given,
    Names,
    Refused,
    Resize,
    Sent,
    Step,
    Sync,
    Write,
)

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_WRAPPED = ("open", "write", "pwrite", "ftruncate", "posix_fallocate", "fsync", "fdatasync", "rename",
            "replace", "link", "unlink", "remove", "rmdir", "mkdir")  # fmt: skip
_NOT_MODELLED = ("writev", "pwritev", "truncate", "sendfile", "copy_file_range", "splice",
                 "symlink", "mknod", "mkfifo")  # fmt: skip
_BY_PATH = frozenset(("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.symlink",
                      "os.truncate", "sqlite3.connect"))  # fmt: skip
_AUDITED = _BY_PATH | {"open", "mmap.__new__"}
Path_ = str | os.PathLike[str]
Act = Callable[[], object]


class NotModelled(BaseException):
    """A file was changed in a way that the model does not know."""


class Killed(BaseException):
    """The process of this thread is dead; nothing that it does from now on happens."""


class KilledInCall(Killed):
    """The process dies in this very call."""


class Process:
    """One recorded process: some threads, which die together.

    It dies in its call number `dies_after`, and its call number `fails_at` finds a full disk; a
    write is then half done. `hit_at` is the length of the trace at that moment.
    """

    def __init__(self, dies_after: int | None = None, fails_at: int | None = None) -> None:
        self.calls = 0
        self.dead = False
        self.hit_at: int | None = None
        self._dies_after, self._fails_at = dies_after, fails_at

    def live(self) -> None:
        """Raise Killed if the process is dead."""
        if self.dead:
            raise Killed

    def call(self, place: int) -> None:
        """Begin a system call at this place of the trace.

        Raises Killed, or OSError if it is the one that fails.
        """
        self.live()
        number, self.calls = self.calls, self.calls + 1
        if number in (self._dies_after, self._fails_at):
            self.hit_at = place
        if number == self._dies_after:
            self.dead = True
            raise KilledInCall
        if number == self._fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Recorder:
    """Records while it is entered; `trace` has the steps, and `disk()` is the disk before them."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.trace: list[Step] = []
        self.escaped: list[str] = []
        self._everything, self._others = Process(), Process()
        self._lock = threading.RLock()
        self._local = threading.local()
        self._real = {name: getattr(os, name) for name in _WRAPPED}
        self._numbers: dict[tuple[int, int], int] = {}
        self._pins: list[int] = []
        self._stack = ExitStack()
        self._number(self.root)
        found = contents(self.root)
        self._start = {path: self._number(self.root / path) for path in found}
        self._files = {self._start[path]: data for path, data in found.items() if data is not None}

    def __enter__(self) -> Self:
        patch = self._stack.enter_context
        for name in _WRAPPED:
            patch(mock.patch.object(os, name, getattr(self, f"_{name}")))
        for name in _NOT_MODELLED:
            patch(mock.patch.object(os, name, self._refusing(name, getattr(os, name))))
        opened = self._opening(io.open)
        patch(mock.patch.object(io, "open", opened))
        patch(mock.patch.object(builtins, "open", opened))
        patch(mock.patch.object(Journal, "append", self._appending(Journal.append)))
        patch(
            mock.patch.object(Journal, "append_async", self._appending_async(Journal.append_async))
        )
        patch(mock.patch.object(Journal, "read", self._reading(Journal.read)))
        patch(_audited(self))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        for pin in self._pins:
            os.close(pin)
        if error == (None, None, None):
            self._check()

    def disk(self) -> Disk:
        """Return the disk as it was before the first step."""
        return Disk(self._start, self._files)

    def run(
        self, *acts: Act, dies_after: int | None = None, fails_at: int | None = None
    ) -> Process:
        """Run a process with a thread for each act, to its end. Raises what an act raises."""
        process, errors = Process(dies_after, fails_at), list[BaseException]()

        def run(act: Act) -> None:
            self._local.process = process
            try:
                act()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001  # raised again below
                errors.append(error)

        threads = [threading.Thread(target=run, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in errors:
            raise error
        return process

    def power_fails_after(self, calls: int) -> None:
        """Let every process die before this many calls from now."""
        self._everything = Process(dies_after=calls)

    def live(self) -> None:
        """Raise Killed if the calling process is dead."""
        with self._lock:
            self._live()

    def tell(self, event: Event) -> None:
        """Record an event of the calling process, unless it is dead. Raises Killed then."""
        with self._lock:
            self._live()
            self.trace.append(event)

    # --- The wrapped functions of `os`

    def _open(self, path: Path_, flags: int, mode: int = 0o777, **others: Any) -> int:
        real = self._real["open"]
        if not self._watches(path):
            return int(real(path, flags, mode, **others))
        if others:
            raise NotModelled(f"open({path}, {others})")
        if not flags & _WRITING:
            with self._inside():
                return int(real(path, flags, mode))
        nameless = flags & os.O_TMPFILE == os.O_TMPFILE
        with self._lock:
            is_new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
            if is_new or nameless or flags & os.O_TRUNC:
                self._call()
            with self._inside():
                descriptor = int(real(path, flags, mode))
            number = self._number(f"/proc/self/fd/{descriptor}")
            if is_new:
                self._add_names(path, {path: number})
            elif flags & os.O_TRUNC:
                self.trace.append(Resize(number, 0))
        return descriptor

    def _write(self, descriptor: int, data: Any) -> int:
        status = os.fstat(descriptor)
        if self._key(status) not in self._numbers:
            return int(self._real["write"](descriptor, data))
        with self._lock:
            try:
                self._call()
            except (OSError, KilledInCall):
                self._written(descriptor, bytes(data)[: len(data) // 2])
                raise
            return self._written(descriptor, bytes(data))

    def _written(self, descriptor: int, data: bytes) -> int:
        written = int(self._real["write"](descriptor, data))
        offset = os.lseek(descriptor, 0, os.SEEK_CUR) - written
        number = self._numbers[self._key(os.fstat(descriptor))]
        self.trace.append(Write(number, offset, data[:written]))
        return written

    def _pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        with self._changing_file(descriptor) as number:
            written = int(self._real["pwrite"](descriptor, data, offset))
            if number is not None:
                self.trace.append(Write(number, offset, data[:written]))
        return written

    def _ftruncate(self, descriptor: int, size: int) -> None:
        with self._changing_file(descriptor) as number:
            self._real["ftruncate"](descriptor, size)
            if number is not None:
                self.trace.append(Resize(number, size))

    def _posix_fallocate(self, descriptor: int, offset: int, size: int) -> None:
        with self._changing_file(descriptor) as number:
            self._real["posix_fallocate"](descriptor, offset, size)
            if number is not None:
                self.trace.append(Resize(number, os.fstat(descriptor).st_size))

    def _fsync(self, descriptor: int) -> None:
        self._synced("fsync", descriptor)

    def _fdatasync(self, descriptor: int) -> None:
        self._synced("fdatasync", descriptor)

    def _synced(self, name: str, descriptor: int) -> None:
        number = self._numbers.get(self._key(os.fstat(descriptor)))
        if number is None:
            self._real[name](descriptor)
            return
        with self._lock:
            self._call()
            covers = len(self.trace)
        self._real[name](descriptor)  # others go on meanwhile
        with self._lock:
            self._live()
            self.trace.append(Sync(number, covers))

    def _rename(self, source: Path_, target: Path_, **others: Any) -> None:
        with self._changing("rename", source, target, others=others) as watched:
            number = self._number(source) if watched else 0
            self._real["rename"](source, target, **others)
            if watched:
                self._add_names(source, {source: None, target: number})

    def _replace(self, source: Path_, target: Path_, **others: Any) -> None:
        self._rename(source, target, **others)

    def _link(self, source: Path_, target: Path_, **others: Any) -> None:
        with self._changing("link", source, target, others=others) as watched:
            self._real["link"](source, target, **others)
            if watched:
                self._add_names(target, {target: self._number(target)})

    def _unlink(self, path: Path_, **others: Any) -> None:
        with self._changing("unlink", path, others=others) as watched:
            self._real["unlink"](path, **others)
            if watched:
                self._add_names(path, {path: None})

    def _remove(self, path: Path_, **others: Any) -> None:
        self._unlink(path, **others)

    def _rmdir(self, path: Path_, **others: Any) -> None:
        with self._changing("rmdir", path, others=others) as watched:
            self._real["rmdir"](path, **others)
            if watched:
                self._add_names(path, {path: None})

    def _mkdir(self, path: Path_, mode: int = 0o777, **others: Any) -> None:
        with self._changing("mkdir", path, others=others) as watched:
            self._real["mkdir"](path, mode, **others)
            if watched:
                number = self._number(path)
                self._add_names(path, {path: number}, makes_folder=True)

    def _refusing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(*arguments: Any, **others: Any) -> Any:
            if any(self._is_ours(argument) for argument in arguments[:2]):
                self._escape(f"{name}{arguments}")
            return real(*arguments, **others)

        return refuse

    def _opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opening(file: Any, *arguments: Any, **others: Any) -> Any:
            return (_pyio.open if self._is_ours(file) else real)(file, *arguments, **others)

        return opening

    # --- What the journal promises

    def _appending(self, real: Callable[..., None]) -> Callable[..., None]:
        def append(journal: Journal, lines: Sequence[bytes]) -> None:
            sent = tuple(lines)
            self.tell(Sent(sent))
            try:
                real(journal, lines)
            except JournalError:
                self.tell(Refused(sent))
                raise
            self.tell(Acknowledged(sent))

        return append

    def _appending_async(self, real: Callable[..., Any]) -> Callable[..., Any]:
        async def append(journal: Journal, line: bytes) -> None:
            self.tell(Sent((line,)))
            try:
                await real(journal, line)
            except JournalError:
                self.tell(Refused((line,)))
                raise
            self.tell(Acknowledged((line,)))

        return append

    def _reading(self, real: Callable[..., Chunk | None]) -> Callable[..., Chunk | None]:
        def read(
            journal: Journal, position: JournalPosition, *, max_lines: int = 5000
        ) -> Chunk | None:
            chunk = real(journal, position, max_lines=max_lines)
            if chunk is not None:
                self.tell(Given(tuple(line.data for line in chunk.lines), chunk.end))
            return chunk

        return read

    # --- Which process, which node

    def _call(self) -> None:
        place = len(self.trace)
        self._everything.call(place)
        self._process().call(place)

    def _live(self) -> None:
        self._everything.live()
        self._process().live()

    def _process(self) -> Process:
        found: Process = getattr(self._local, "process", self._others)
        return found

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """Tell the audit hook that this call is known."""
        before, self._local.inside = self.is_inside(), True
        try:
            yield
        finally:
            self._local.inside = before

    def is_inside(self) -> bool:
        return getattr(self._local, "inside", False)

    @contextmanager
    def _changing(self, name: str, *paths: Path_, others: dict[str, Any]) -> Iterator[bool]:
        """Make a call that changes names; yield whether they are below the folder."""
        watched = any(map(self._watches, paths))
        if not watched:
            yield False
            return
        if len({os.path.dirname(os.path.abspath(path)) for path in paths}) > 1 or any(
            value is not None for value in others.values()
        ):
            self._escape(f"{name}{paths} {others}")
        with self._lock, self._inside():
            self._call()
            yield True

    @contextmanager
    def _changing_file(self, descriptor: int) -> Iterator[int | None]:
        number = self._numbers.get(self._key(os.fstat(descriptor)))
        if number is None:
            yield None
            return
        with self._lock, self._inside():
            self._call()
            yield number

    def _add_names(
        self, path: Path_, names: dict[Path_, int | None], *, makes_folder: bool = False
    ) -> None:
        parent = self._number(os.path.dirname(os.path.abspath(path)))
        changed = {os.path.basename(name): number for name, number in names.items()}
        self.trace.append(Names(parent, changed, makes_folder))

    def _number(self, path: Path_) -> int:
        """Return the number of the node; hold a new one, so that no other node gets its inode."""
        key = self._key(os.stat(path))
        if key not in self._numbers:
            self._pins.append(self._real["open"](path, os.O_PATH))
            self._numbers[key] = len(self._numbers)
        return self._numbers[key]

    @staticmethod
    def _key(status: os.stat_result) -> tuple[int, int]:
        return status.st_dev, status.st_ino

    def _watches(self, path: object) -> bool:
        if not isinstance(path, str | os.PathLike):
            return False
        return f"{os.path.abspath(path)}/".startswith(f"{self.root}/")

    def _is_ours(self, file: object) -> bool:
        """Return whether this is a path below the folder, or the descriptor of such a file."""
        if isinstance(file, int) and not isinstance(file, bool):
            try:
                return self._key(os.fstat(file)) in self._numbers
            except OSError:
                return False
        return self._watches(file)

    # --- What escapes

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse a change that no wrapper knows of."""
        if self.is_inside():
            return
        if event == "open":
            path, mode, flags = arguments
            escapes = bool(flags & _WRITING) and self._is_ours(path)
        elif event == "mmap.__new__":
            escapes = arguments[2] != mmap.ACCESS_READ and self._is_ours(arguments[0])
        else:
            escapes = event in _BY_PATH and any(map(self._is_ours, arguments[:2]))
        if escapes:
            self._escape(f"{event}{arguments}")

    def _escape(self, call: str) -> None:
        self.escaped.append(call)
        raise NotModelled(call)

    def _check(self) -> None:
        """Raise NotModelled if the trace does not give the folder as it is."""
        if self.escaped:
            raise NotModelled(self.escaped[0])
        disk = self.disk()
        for place, step in enumerate(self.trace):
            disk.take(place, step)
        expected, found = disk.after(EVERYTHING), contents(self.root)
        if expected != found:
            paths = expected.keys() | found.keys()
            wrong = sorted(path for path in paths if expected.get(path, 0) != found.get(path, 0))
            raise NotModelled(f"the trace does not explain {', '.join(wrong)}")


_active: Recorder | None = None


@contextmanager
def _audited(recorder: Recorder) -> Iterator[None]:
    """Let the recorder see every audited call of this interpreter."""
    global _active  # noqa: PLW0603  # a hook cannot be removed, so it asks who records
    _install_hook()
    assert _active is None, "another recorder is recording"
    _active = recorder
    try:
        yield
    finally:
        _active = None


@cache
def _install_hook() -> None:
    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if _active is not None and event in _AUDITED:
            _active.audit(event, arguments)

    sys.addaudithook(audit)
