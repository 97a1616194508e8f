"""Wraps the functions of `os` that change files, and records each change and each sync."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from tests.power_cuts.escapes import WRITING, Escapes
from tests.power_cuts.nodes import AnyPath, Nodes
from tests.power_cuts.process import KilledInCall, Tape
from tests.power_cuts.trace import Names, Resize, Sync, Write

WRAPPED = (
    "open", "write", "pwrite", "ftruncate", "posix_fallocate", "fsync", "fdatasync", "rename",
    "replace", "link", "unlink", "remove", "rmdir", "mkdir",
)  # fmt: skip


class Calls:
    """The wrapped calls; what is not below the folder goes straight to the real ones."""

    def __init__(self, tape: Tape, nodes: Nodes, escapes: Escapes) -> None:
        self._tape, self._nodes, self._escapes = tape, nodes, escapes
        self._real = {name: getattr(os, name) for name in WRAPPED}

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record them from now on."""
        with ExitStack() as stack:
            for name in WRAPPED:
                stack.enter_context(patch.object(os, name, getattr(self, name)))
            yield

    def open(self, path: AnyPath, flags: int, mode: int = 0o777, **others: object) -> int:
        real = self._real["open"]
        if not self._nodes.has(path):
            return int(real(path, flags, mode, **others))
        if others:
            self._escapes.refuse(f"open({path}, {others})")
        with self._tape.lock, self._escapes.known():
            if not flags & WRITING:
                return int(real(path, flags, mode))
            is_new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
            is_nameless = flags & os.O_TMPFILE == os.O_TMPFILE
            if is_new or is_nameless or flags & os.O_TRUNC:
                self._tape.call()
            descriptor = int(real(path, flags, mode))
            number = self._nodes.number_of_open(descriptor)
            if is_new:
                self._name(path, {path: number})
            elif flags & os.O_TRUNC:
                self._tape.tell(Resize(number, 0))
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self._nodes.known(descriptor) is None:
            return int(self._real["write"](descriptor, data))
        with self._tape.lock:
            try:
                self._tape.call()
            except (OSError, KilledInCall):
                self._written(descriptor, bytes(data)[: len(data) // 2])
                raise
            return self._written(descriptor, bytes(data))

    def _written(self, descriptor: int, data: bytes) -> int:
        written = int(self._real["write"](descriptor, data))
        offset = os.lseek(descriptor, 0, os.SEEK_CUR) - written
        number = self._nodes.number_of_open(descriptor)
        self._tape.trace.append(Write(number, offset, data[:written]))
        return written

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        with self._changing_file(descriptor) as number:
            written = int(self._real["pwrite"](descriptor, data, offset))
            if number is not None:
                self._tape.tell(Write(number, offset, data[:written]))
        return written

    def ftruncate(self, descriptor: int, size: int) -> None:
        with self._changing_file(descriptor) as number:
            self._real["ftruncate"](descriptor, size)
            if number is not None:
                self._tape.tell(Resize(number, size))

    def posix_fallocate(self, descriptor: int, offset: int, size: int) -> None:
        with self._changing_file(descriptor) as number:
            self._real["posix_fallocate"](descriptor, offset, size)
            if number is not None:
                self._tape.tell(Resize(number, os.fstat(descriptor).st_size))

    def fsync(self, descriptor: int) -> None:
        self._sync("fsync", descriptor)

    def fdatasync(self, descriptor: int) -> None:
        self._sync("fdatasync", descriptor)

    def _sync(self, name: str, descriptor: int) -> None:
        number = self._nodes.known(descriptor)
        if number is None:
            self._real[name](descriptor)
            return
        with self._tape.lock:
            self._tape.call()
            covers = len(self._tape.trace)
        self._real[name](descriptor)  # others go on meanwhile
        self._tape.tell(Sync(number, covers))

    def rename(self, source: AnyPath, target: AnyPath, **others: object) -> None:
        with self._changing_names("rename", source, target, others=others) as is_ours:
            number = self._nodes.number(source) if is_ours else None
            self._real["rename"](source, target, **others)
            if is_ours:
                self._name(source, {source: None, target: number})

    def replace(self, source: AnyPath, target: AnyPath, **others: object) -> None:
        self.rename(source, target, **others)

    def link(self, source: AnyPath, target: AnyPath, **others: object) -> None:
        with self._changing_names("link", source, target, others=others) as is_ours:
            self._real["link"](source, target, **others)
            if is_ours:
                self._name(target, {target: self._nodes.number(target)})

    def unlink(self, path: AnyPath, **others: object) -> None:
        self._take_name("unlink", path, **others)

    def remove(self, path: AnyPath, **others: object) -> None:
        self._take_name("remove", path, **others)

    def rmdir(self, path: AnyPath, **others: object) -> None:
        self._take_name("rmdir", path, **others)

    def _take_name(self, name: str, path: AnyPath, **others: object) -> None:
        with self._changing_names(name, path, others=others) as is_ours:
            self._real[name](path, **others)
            if is_ours:
                self._name(path, {path: None})

    def mkdir(self, path: AnyPath, mode: int = 0o777, **others: object) -> None:
        with self._changing_names("mkdir", path, others=others) as is_ours:
            self._real["mkdir"](path, mode, **others)
            if is_ours:
                self._name(path, {path: self._nodes.number(path)}, makes_folder=True)

    @contextmanager
    def _changing_file(self, descriptor: int) -> Iterator[int | None]:
        """Make a call that changes an open file; yield its number, or None if it is not ours."""
        number = self._nodes.known(descriptor)
        if number is None:
            yield None
            return
        with self._tape.lock, self._escapes.known():
            self._tape.call()
            yield number

    @contextmanager
    def _changing_names(
        self, name: str, *paths: AnyPath, others: dict[str, object]
    ) -> Iterator[bool]:
        """Make a call that changes names; yield whether they are below the folder."""
        if not any(map(self._nodes.has, paths)):
            yield False
            return
        is_relative = any(value is not None for value in others.values())
        if is_relative or len(set(map(_folder_of, paths))) > 1:
            self._escapes.refuse(f"{name}{paths} {others}")
        with self._tape.lock, self._escapes.known():
            self._tape.call()
            yield True

    def _name(
        self, path: AnyPath, names: dict[AnyPath, int | None], *, makes_folder: bool = False
    ) -> None:
        changed = {os.path.basename(each): number for each, number in names.items()}
        self._tape.tell(Names(self._nodes.number(_folder_of(path)), changed, makes_folder))


def _folder_of(path: AnyPath) -> str:
    return os.path.dirname(os.path.abspath(path))
