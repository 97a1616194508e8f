"""What a bundle or a whole record gives to be checked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from signals.record.formats.encoding import BadRecord, hash_lines
from signals.record.formats.entries import SALT_BYTES
from signals.record.formats.tiles import decode_entries
from signals.record.formats.tree import MOST_HASHES
from signals.record.verifier.files import Files
from signals.record.verifier.history import Revealed
from signals.record.verifier.strict_json import json_object

VERSION = 1
MOST_LINE_BYTES = 2**21


def _nothing(_: Any) -> None:  # noqa: ANN401  # has nothing, whatever is asked for
    return None


@dataclass(frozen=True)
class Material:
    """Entries from `first` on, what connects them to the checkpoint, and what is shown of them.

    `is_growing` says that the checkpoint is the newest of a record, which witnesses cosign later.
    """

    checkpoint: bytes
    first: int
    entries: list[bytes]
    hashes: list[bytes] = field(default_factory=list)
    lines: Iterable[Revealed] = ()
    stamps: Iterable[tuple[str, bytes]] = ()
    earlier: Iterable[str] = ()
    earlier_checkpoint: Callable[[str], bytes | None] = _nothing
    consistency: Callable[[int], list[bytes] | None] = _nothing
    is_growing: bool = False


def bundle_material(files: Files) -> Material:
    """Return what a bundle gives. Raises BadRecord if something is missing or contradictory."""
    about = json_object(files.required("bundle.json"))
    if about.get("version") != VERSION or type(about["version"]) is not int:
        raise BadRecord(f"bundle.json has the version {about.get('version')!r}, not {VERSION}")
    first, last, size = (_count(about, name) for name in ("first", "last", "size"))
    entries = decode_entries(files.required("entries"))
    if not first <= last < size or len(entries) != last - first + 1:
        raise BadRecord(f"entries {first} to {last} of {size} are named, and {len(entries)} given")
    files.required("policy")
    return Material(
        checkpoint=files.required("checkpoint"),
        first=first,
        entries=entries,
        hashes=_hashes(files.required("hashes")),
        lines=revealed_lines(files.optional("lines.jsonl") or b""),
        stamps=[(name, files.read(name)) for name in files.within("stamps")],
        earlier=[PurePosixPath(name).name for name in files.within("checkpoints")],
        earlier_checkpoint=lambda digest: files.optional(f"checkpoints/{digest}"),
        consistency=lambda size: _optional_hashes(files.optional(f"consistency/{size}")),
    )


def check_about(files: Files, origin: str, size: int) -> None:
    """Raise BadRecord if bundle.json names another log or size than the checkpoint."""
    about = json_object(files.required("bundle.json"))
    if (about.get("origin"), about.get("size")) != (origin, size):
        raise BadRecord("bundle.json names another origin or size than the checkpoint")


def revealed_lines(data: bytes) -> Iterator[Revealed]:
    """Yield the lines that are shown. Raises BadRecord if one cannot be read."""
    if data and not data.endswith(b"\n"):
        raise BadRecord("lines.jsonl is cut off")
    for number, text in enumerate(data[:-1].split(b"\n") if data else (), 1):
        try:
            yield _revealed(text)
        except BadRecord as error:
            raise BadRecord(f"line {number} of lines.jsonl: {error}") from None


def _revealed(text: bytes) -> Revealed:
    if len(text) > MOST_LINE_BYTES:
        raise BadRecord(f"has more than {MOST_LINE_BYTES} bytes")
    shown = json_object(text)
    salt, line = shown.get("salt"), shown.get("line")
    if set(shown) != {"index", "salt", "line"} or not isinstance(line, str):
        raise BadRecord("does not hold exactly index, salt and line")
    return Revealed(_count(shown, "index"), _salt(salt), _line_bytes(line))


def _salt(text: object) -> bytes:
    try:
        salt = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        salt = b""
    if len(salt) != SALT_BYTES or salt.hex() != text:
        raise BadRecord(f"has no salt of {SALT_BYTES} bytes in lowercase hex")
    return salt


def _line_bytes(line: str) -> bytes:
    """Return the line's bytes; those that are not UTF-8 are lone surrogates in its text."""
    try:
        data = line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise BadRecord("has a line that stands for no bytes") from None
    if b"\n" in data:
        raise BadRecord("has a line with a newline in it")
    return data


def _count(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise BadRecord(f"has no whole number for {name!r}")
    return value


def _hashes(data: bytes) -> list[bytes]:
    try:
        return hash_lines(data.decode("ascii"), 2 * MOST_HASHES)
    except UnicodeDecodeError:
        raise BadRecord("the hashes are not in base64") from None


def _optional_hashes(data: bytes | None) -> list[bytes] | None:
    return None if data is None else _hashes(data)
