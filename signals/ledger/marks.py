"""Marks: the opaque `next` of a page, which is the `after` of the page behind it."""

import base64
import math
from typing import NamedTuple

from argo.errors import FieldError, InvalidInput
from signals.ledger.instants import Place
from signals.timestamps import instant_text

OF_CONFIDENCE = "="
"""Begins the mark of a list by confidence; no time begins with it."""


class Rank(NamedTuple):
    """Where a signal is in the order of confidence."""

    confidence: float
    row: int


def mark(place: Place | Rank) -> str:
    """Return the mark of a place."""
    at = place.at if isinstance(place, Place) else f"{OF_CONFIDENCE}{place.confidence!r}"
    return base64.urlsafe_b64encode(f"{place.row} {at}".encode()).decode()


def place_of(after: str) -> Place:
    """Return the place in the order of time, one of an older version too. Raises InvalidInput."""
    row, at = _parts(after)
    if at.startswith(OF_CONFIDENCE):
        raise _invalid("is of a list by another `sort`")
    instant = instant_text(at)
    return Place(at if instant is None else instant, row)


def rank_of(after: str) -> Rank:
    """Return the place in the order of confidence. Raises InvalidInput."""
    row, at = _parts(after)
    if not at.startswith(OF_CONFIDENCE):
        raise _invalid("is of a list by another `sort`")
    try:
        confidence = float(at.removeprefix(OF_CONFIDENCE))
    except ValueError:
        raise _unknown() from None
    if not math.isfinite(confidence):
        raise _unknown()
    return Rank(confidence, row)


def _parts(after: str) -> tuple[int, str]:
    try:
        row, _, at = base64.urlsafe_b64decode(after).decode().partition(" ")
        if "\0" in at or not 0 <= int(row) < 2**63:
            raise ValueError(after)
    except ValueError:  # binascii.Error is one
        raise _unknown() from None
    return int(row), at


def _unknown() -> InvalidInput:
    return _invalid("must be the `next` of an earlier page, unchanged")


def _invalid(message: str) -> InvalidInput:
    return InvalidInput([FieldError("after", message)])
