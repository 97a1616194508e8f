"""Computes a signal's id and hash from one canonical text.

The text is what `json.dumps(fields, sort_keys=True)` writes; building it by hand is several times
faster. The nine keys and the rules come from the signal-hash contract, whose vectors are a test.
"""

import hashlib
from json.encoder import encode_basestring_ascii as escaped
from typing import NamedTuple

import orjson

ID_DIGITS = 16

Covered = tuple[str, str, float, float, float, float, str, str]
"""The values of a `Hashed`, in its order; a plain tuple is faster to make."""


class Hashed(NamedTuple):
    """The fields that the hash covers beside the id. Numbers are floats; texts are as stored."""

    symbol: str
    action: str
    entry_price: float
    target_price: float
    stop_price: float
    confidence: float
    strategy: str
    timestamp: str


def id_text(fields: Covered) -> str:
    """Return the canonical text without `signal_id`."""
    before, after = _around_id(fields)
    return before + after


def hashed_text(fields: Covered, signal_id: str) -> str:
    """Return the canonical text that `sha256` covers."""
    before, after = _around_id(fields)
    return f'{before}"signal_id": {escaped(signal_id)}, {after}'


def signal_id_of(fields: Covered) -> str:
    """Return the id that is computed from the content: 16 hex digits."""
    return _sha256(id_text(fields))[:ID_DIGITS]


def sha256_of(fields: Covered, signal_id: str) -> str:
    """Return the signal's hash in lowercase hex."""
    return _sha256(hashed_text(fields, signal_id))


def plain_sha256_of(fields: Covered, signal_id: str) -> str | None:
    """Return the hash of a signal whose texts need no escapes, in two thirds of the time.

    orjson writes numbers faster than `repr`, and alike in the range of usual prices; None outside
    of it.
    """
    symbol, action, entry, target, stop, confidence, strategy, timestamp = fields
    numbers = orjson.dumps((confidence, entry, stop, target)).decode()
    if "e" in numbers or "0.0000" in numbers:  # `repr` may write these with another exponent
        return None
    confidence_text, entry_text, stop_text, target_text = numbers[1:-1].split(",")
    return _sha256(
        f'{{"action": "{action}", "confidence": {confidence_text}, "entry_price": {entry_text}, '
        f'"signal_id": "{signal_id}", "stop_price": {stop_text}, "strategy": "{strategy}", '
        f'"symbol": "{symbol}", "target_price": {target_text}, "timestamp": "{timestamp}"}}'
    )


def id_and_sha256_of(fields: Covered) -> tuple[str, str]:
    """Return id and hash for a signal that brings no id; the text is built only once."""
    before, after = _around_id(fields)
    signal_id = _sha256(before + after)[:ID_DIGITS]
    return signal_id, _sha256(f'{before}"signal_id": "{signal_id}", {after}')


def matches(fields: Covered, signal_id: str, sha256: str) -> bool:
    """Return True if `sha256` is this signal's hash, as Argo or the older system computes it."""
    return sha256_of(fields, signal_id) == sha256 or older_sha256_of(fields, signal_id) == sha256


def older_sha256_of(fields: Covered, signal_id: str) -> str:
    """Return the older system's hash, which has numbers without a fraction as integers."""
    symbol, action, *numbers, strategy, timestamp = fields
    entry, target, stop, confidence = map(_integer_if_whole, numbers)
    whole = (symbol, action, entry, target, stop, confidence, strategy, timestamp)
    return sha256_of(whole, signal_id)


def _integer_if_whole(number: float) -> float:
    return int(number) if number.is_integer() else number


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _around_id(fields: Covered) -> tuple[str, str]:
    """Return the parts of the canonical text before and after the id."""
    symbol, action, entry, target, stop, confidence, strategy, timestamp = fields
    before = (
        f'{{"action": {escaped(action)}, "confidence": {confidence!r}, "entry_price": {entry!r}, '
    )
    after = (
        f'"stop_price": {stop!r}, "strategy": {escaped(strategy)}, "symbol": {escaped(symbol)}, '
        f'"target_price": {target!r}, "timestamp": {escaped(timestamp)}}}'
    )
    return before, after
