"""Makes the entry of a journal line, as far as it does not depend on other entries."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from signals.journal import Line
from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import SALT_BYTES, Entry
from signals.record.formats.tree import leaf_hash
from signals.record.verifier.lines import PAST_ORIGINS, parse_line
from signals.timestamps import utc_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST_NAME = 60_000
"""Bytes of a name as JSON; a longer one does not fit into an entry."""


class Draft(NamedTuple):
    """An entry that has no index yet.

    `at` is in microseconds since 1970, `note` is JSON, `leaf` is the hash of its leaf. `strategy`
    is the JSON of the name that must be entered before it, if any.
    """

    kind: str
    at: int
    digest: bytes | None
    note: str | None
    leaf: bytes
    strategy: str | None = None


def draft_of(entry: Entry) -> Draft:
    """Return the draft of an entry. Raises BadRecord if its fields do not fit its kind."""
    encoded = entry.encoded()
    digest = None if entry.digest is None else bytes.fromhex(entry.digest)
    note = None if entry.note is None else json.dumps(entry.note)
    return Draft(entry.kind, micros_of(entry.at), digest, note, leaf_hash(encoded))


def encoded(kind: str, at: int, digest: bytes | None, note: str | None) -> bytes:
    """Return the bytes of a stored entry."""
    middle = f'"digest":"{bytes(digest).hex()}",' if digest is not None else ""
    end = f'"note":{note},' if note is not None else ""
    return f'{{"at":"{text_of(at)}",{middle}"kind":"{kind}",{end}"v":1}}'.encode("ascii")


def _encoded_line(kind: str, at: str, digest: bytes) -> bytes:
    """Return the same for a line, whose time is text already."""
    return f'{{"at":"{at}","digest":"{digest.hex()}","kind":"{kind}","v":1}}'.encode("ascii")


def micros_of(at: str) -> int:
    """Return a time as microseconds since 1970. Raises BadRecord if Argo spells it another way."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise BadRecord(f"{at!r} is not a time") from None
    if moment.tzinfo is None or utc_text(moment) != at:
        raise BadRecord(f"{at!r} is not spelled as Argo spells times")
    return (moment - EPOCH) // MICROSECOND


def text_of(micros: int) -> str:
    """Return the time that `micros_of` was given."""
    return utc_text(EPOCH + timedelta(microseconds=micros))


class _Time(NamedTuple):
    micros: int
    text: str


class Drafter:
    """Makes drafts of the lines of one journal.

    Lines that were received before `begun_at` are history; so are all lines if `is_past`, as of a
    journal that is adopted.
    """

    def __init__(
        self, salt_key: bytes, journal: str, begun_at: datetime, *, is_past: bool = False
    ) -> None:
        self._key = salt_key
        self._journal = journal.encode("ascii") + b"\0"
        self._begun = (begun_at - EPOCH) // MICROSECOND
        self._is_past = is_past

    def digests(self, lines: Iterable[Line]) -> list[bytes]:
        """Return the digest of each line, with its salt."""
        return list(map(self._digest, lines))

    def drafts(self, lines: Iterable[Line], now: datetime) -> Iterator[Draft]:
        """Yield the draft of each line; `now` is when it is entered."""
        entered = _Time((now - EPOCH) // MICROSECOND, utc_text(now))
        for line in lines:
            kind, (at, text), strategy = self._about(line.data, entered)
            digest = self._digest(line)
            leaf = leaf_hash(_encoded_line(kind, text, digest))
            yield Draft(kind, at, digest, None, leaf, strategy)

    def _digest(self, line: Line) -> bytes:
        (segment, byte), data = line
        place = segment.to_bytes(4, "big") + byte.to_bytes(8, "big")
        salt = hmac.digest(self._key, self._journal + place + data, "sha256")[:SALT_BYTES]
        return hashlib.sha256(salt + data).digest()

    def _about(self, data: bytes, entered: "_Time") -> tuple[str, "_Time", str | None]:
        """Return kind, time and strategy.

        A line that no reader understands is entered as a signal, so that none can be hidden as
        history.
        """
        if self._is_past:
            return "history", entered, None
        fields = _fields(data)
        if fields is None:
            return "signal", entered, None
        try:
            at = _Time(micros_of(fields["received_at"]), fields["received_at"])
        except BadRecord:
            return "history", entered, None
        if at.micros < self._begun or fields["origin"] in PAST_ORIGINS:
            return "history", entered, None
        if "change" in fields:
            return "outcome", at, None
        strategy = _quoted(fields.get("strategy"))
        if strategy is not None and len(strategy) > LONGEST_NAME:
            return "history", entered, None
        return "signal", at, strategy


def _fields(data: bytes) -> dict[str, Any] | None:
    """Return what a line says; None if it has no time or origin, so that it counts for nothing.

    What only the verifier can read, it reads itself.
    """
    try:
        found = orjson.loads(data)
        if isinstance(found["received_at"], str) and isinstance(found["origin"], str):
            return dict(found)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    return _as_verified(data)


def _as_verified(data: bytes) -> dict[str, Any] | None:
    try:
        parse_line(data)
    except BadRecord:
        return None
    fields: dict[str, Any] = json.loads(data)
    return fields


def _quoted(name: object) -> str | None:
    return json.dumps(name) if isinstance(name, str) else None
