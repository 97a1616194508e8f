"""The files of a bundle, packed or not; limits are checked before anything is unpacked."""

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, NamedTuple

from signals.record.formats.encoding import BadRecord

KIB, MIB = 2**10, 2**20
MOST_PACKED_BYTES = 128 * MIB
MOST_BYTES = 256 * MIB
MOST_FILES = 10_000
MOST_DIRECTORY_BYTES = 2 * MIB
LIMITS = (
    (re.compile(r"bundle\.json"), 64 * KIB),
    (re.compile(r"checkpoint"), MIB),
    (re.compile(r"entries|lines\.jsonl"), 128 * MIB),
    (re.compile(r"hashes"), 16 * KIB),
    (re.compile(r"policy"), 256 * KIB),
    (re.compile(r"stamps/[A-Za-z0-9_-]{1,100}(\.[A-Za-z0-9_-]{1,100})*\.tsr"), 256 * KIB),
    (re.compile(r"checkpoints/[0-9a-f]{64}"), MIB),
    (re.compile(r"consistency/(0|[1-9][0-9]{0,18})"), 16 * KIB),
)
"""The names that a bundle may have, and the bytes that each may take."""
END = struct.Struct("<4s4H2LH")
ZIP64_LOCATOR_BYTES = 20
FAULTS = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OSError, struct.error, OverflowError,
)  # fmt: skip
"""What `zipfile` raises for damaged archives."""


class Files(NamedTuple):
    """The files of one bundle: their names, and how to read one."""

    names: frozenset[str]
    read: Callable[[str], bytes]

    def required(self, name: str) -> bytes:
        """Return a file's content. Raises BadRecord if it is missing or damaged."""
        if name not in self.names:
            raise BadRecord(f"the bundle has no file {name!r}")
        return self.read(name)

    def optional(self, name: str) -> bytes | None:
        """Return a file's content; None if it is missing."""
        return self.read(name) if name in self.names else None

    def within(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted."""
        return sorted(name for name in self.names if name.startswith(f"{folder}/"))


def packed_files(file: IO[bytes]) -> Files:
    """Return the files of a ZIP archive. Raises BadRecord if it is not a bundle's."""
    _check_directory(file)
    try:
        archive = zipfile.ZipFile(file)
    except FAULTS as error:
        raise BadRecord(f"the ZIP archive is damaged: {error}") from None
    members = archive.infolist()
    sizes = [(each.filename, each.file_size) for each in members]
    _check_sizes(sizes)
    if any(each.flag_bits & 1 for each in members):
        raise BadRecord("the ZIP archive is encrypted")
    if any(each.compress_type not in (0, 8) for each in members):
        raise BadRecord("the ZIP archive has files that are neither stored nor deflated")
    by_name = {each.filename: each for each in members}
    return Files(frozenset(by_name), lambda name: _unpacked(archive, by_name[name]))


def folder_files(folder: Path) -> Files:
    """Return the files of an unpacked bundle. Raises BadRecord if it has others."""
    found = sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    if any(path.is_symlink() or not path.is_file() for path in found):
        raise BadRecord("the folder has links or other things that are not plain files")
    names = [path.relative_to(folder).as_posix() for path in found]
    _check_sizes([(name, path.stat().st_size) for name, path in zip(names, found, strict=True)])
    return Files(frozenset(names), lambda name: (folder / name).read_bytes())


def _check_directory(file: IO[bytes]) -> None:
    """Check size and directory of an archive before `zipfile` reads the directory."""
    size = file.seek(0, 2)
    if size > MOST_PACKED_BYTES:
        raise BadRecord(f"the bundle has {size} bytes; the limit is {MOST_PACKED_BYTES}")
    begin = max(size - END.size - ZIP64_LOCATOR_BYTES, 0)
    file.seek(begin)
    tail = file.read()
    if len(tail) < END.size or not tail[-END.size :].startswith(b"PK\5\6"):
        raise BadRecord("this is neither a ZIP archive that ends where it should, nor a proof file")
    _, _, _, _, count, directory, _, comment = END.unpack(tail[-END.size :])
    if b"PK\6\7" in tail or comment:
        raise BadRecord("the ZIP archive has a comment or a second directory")
    if count > MOST_FILES or directory > MOST_DIRECTORY_BYTES:
        raise BadRecord(f"the bundle has {count} files; the limit is {MOST_FILES}")


def _check_sizes(sizes: Iterable[tuple[str, int]]) -> None:
    seen: set[str] = set()
    total = 0
    for name, size in sizes:
        if name in seen:
            raise BadRecord(f"the bundle has the file {name!r} twice")
        seen.add(name)
        if size > _limit(name):
            raise BadRecord(f"{name!r} has {size} bytes; the limit is {_limit(name)}")
        total += size
    if len(seen) > MOST_FILES or total > MOST_BYTES:
        raise BadRecord(
            f"the bundle has {len(seen)} files of {total} bytes; the limits are "
            f"{MOST_FILES} and {MOST_BYTES}"
        )


def _limit(name: str) -> int:
    for pattern, limit in LIMITS:
        if pattern.fullmatch(name):
            return limit
    raise BadRecord(f"a bundle has no file of the name {name!r}")


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(member) as file:
            data = file.read(member.file_size + 1)
    except FAULTS as error:
        raise BadRecord(f"{member.filename!r} is damaged: {error}") from None
    if len(data) != member.file_size:
        raise BadRecord(f"{member.filename!r} has not the size that the archive says")
    return data
