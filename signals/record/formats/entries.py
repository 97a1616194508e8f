"""An entry of the record: which journal line was received when, without revealing the line."""

import hashlib
import hmac
import json
import re
from datetime import datetime
from typing import NamedTuple

from signals.record.formats.encoding import BadRecord

DIGESTED = ("signal", "outcome", "history", "mark")
NOTED = ("strategy", "account", "key")
KINDS = (*DIGESTED, *NOTED, "heartbeat")
LINES = ("signal", "outcome", "history")
"""The kinds whose digest is of a journal line."""
SALT_BYTES = 16
MOST_ENTRY_BYTES = 65_535
"""The length before an entry in a bundle of entries is a uint16."""
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z"
_FORM = re.compile(
    rf'\{{"at":"({_TIME})"(?:,"digest":"([0-9a-f]{{64}})")?,"kind":"([a-z]{{1,20}})"'
    r'(?:,"note":("[^"\\]*(?:\\.[^"\\]*)*"))?,"v":1\}',
    re.ASCII,
)


class Entry(NamedTuple):
    """One entry. `at` is UTC text; `digest` is hex for DIGESTED kinds, `note` text for NOTED."""

    at: str
    kind: str
    digest: str | None = None
    note: str | None = None

    def encoded(self) -> bytes:
        """Return the canonical bytes. Raises BadRecord if the fields do not fit the kind."""
        fields = {name: value for name, value in self._asdict().items() if value is not None}
        text = json.dumps(fields | {"v": 1}, sort_keys=True, separators=(",", ":"))
        parse_entry(text.encode("ascii"))
        return text.encode("ascii")


def parse_entry(data: bytes) -> Entry:
    """Return the entry of these bytes. Raises BadRecord if they are not its canonical form."""
    found = _FORM.fullmatch(data.decode("latin-1")) if len(data) <= MOST_ENTRY_BYTES else None
    if found is None:
        raise BadRecord(f"is not an entry in its canonical form: {data[:120]!r}")
    at, digest, kind, quoted = found.groups()
    entry = Entry(at, kind, digest, None if quoted is None else _note(quoted))
    moment(at)
    _check_fields(entry)
    return entry


def moment(at: str) -> datetime:
    """Return an entry's time. Raises BadRecord if there is no such day or time."""
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        raise BadRecord(f"{at!r} is not a time") from None


def _note(quoted: str) -> str:
    try:
        note = json.loads(quoted)
    except ValueError:
        raise BadRecord(f"has a note that is not JSON: {quoted[:120]}") from None
    if json.dumps(note) != quoted:
        raise BadRecord(f"has a note that is not in its canonical form: {quoted[:120]}")
    return str(note)


def _check_fields(entry: Entry) -> None:
    if entry.kind not in KINDS:
        raise BadRecord(f"has the unknown kind {entry.kind!r}")
    if (entry.digest is not None) is not (entry.kind in DIGESTED):
        raise BadRecord(f"of kind {entry.kind!r} has a digest too many or lacks one")
    if (entry.note is not None) is not (entry.kind in NOTED):
        raise BadRecord(f"of kind {entry.kind!r} has a note too many or lacks one")


def salt_of(salt_key: bytes, journal: str, segment: int, byte: int, line: bytes) -> bytes:
    """Return the salt of a journal line: only who has the key can make it again."""
    place = segment.to_bytes(4, "big") + byte.to_bytes(8, "big")
    message = journal.encode("ascii") + b"\0" + place + line
    return hmac.digest(salt_key, message, "sha256")[:SALT_BYTES]


def digest_of(salt: bytes, line: bytes) -> str:
    """Return the digest of a journal line without its newline, in hex."""
    return hashlib.sha256(salt + line).hexdigest()
