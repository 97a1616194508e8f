"""The signal's id and hash, over one canonical text.

The text is what `json.dumps(fields, sort_keys=True)` writes; it is built by hand because that is
several times faster. The nine keys and the rules are those of the signal-hash contract, and its
vectors are a test.
"""

import hashlib
from json.encoder import encode_basestring_ascii as escaped
from typing import NamedTuple

ID_DIGITS = 16

Covered = tuple[str, str, float, float, float, float, str, str]
"""The values of a `Hashed`, in its order; a plain tuple is quicker to make."""


class Hashed(NamedTuple):
    """What the hash covers beside the id. Numbers are floats; texts are as they are stored."""

    symbol: str
    action: str
    entry_price: float
    target_price: float
    stop_price: float
    confidence: float
    strategy: str
    timestamp: str


def id_text(fields: Covered) -> str:
    """The canonical text without `signal_id`."""
    before, after = _around_id(fields)
    return before + after


def hashed_text(fields: Covered, signal_id: str) -> str:
    """The canonical text that `sha256` covers."""
    before, after = _around_id(fields)
    return f'{before}"signal_id": {escaped(signal_id)}, {after}'


def signal_id_of(fields: Covered) -> str:
    """The id that follows from the content: 16 hex digits."""
    return _sha256(id_text(fields))[:ID_DIGITS]


def sha256_of(fields: Covered, signal_id: str) -> str:
    """The signal's hash, lowercase hex."""
    return _sha256(hashed_text(fields, signal_id))


def id_and_sha256_of(fields: Covered) -> tuple[str, str]:
    """Both, for a signal without an id of its own; the text is built once."""
    before, after = _around_id(fields)
    signal_id = _sha256(before + after)[:ID_DIGITS]
    return signal_id, _sha256(f'{before}"signal_id": "{signal_id}", {after}')


def matches(fields: Covered, signal_id: str, sha256: str) -> bool:
    """Whether `sha256` is this signal's hash, as Argo or as the older system wrote it."""
    return sha256_of(fields, signal_id) == sha256 or older_sha256_of(fields, signal_id) == sha256


def older_sha256_of(fields: Covered, signal_id: str) -> str:
    """The hash with numbers without a fraction written as integers, all together."""
    symbol, action, *numbers, strategy, timestamp = fields
    entry, target, stop, confidence = map(_integer_if_whole, numbers)
    whole = (symbol, action, entry, target, stop, confidence, strategy, timestamp)
    return sha256_of(whole, signal_id)


def _integer_if_whole(number: float) -> float:
    return int(number) if number.is_integer() else number


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _around_id(fields: Covered) -> tuple[str, str]:
    """What stands before and after the id in the canonical text."""
    symbol, action, entry, target, stop, confidence, strategy, timestamp = fields
    before = (
        f'{{"action": {escaped(action)}, "confidence": {confidence!r}, "entry_price": {entry!r}, '
    )
    after = (
        f'"stop_price": {stop!r}, "strategy": {escaped(strategy)}, "symbol": {escaped(symbol)}, '
        f'"target_price": {target!r}, "timestamp": {escaped(timestamp)}}}'
    )
    return before, after
