"""Ids of alerts: the same for the same alert, in every process, whatever else has changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import orjson

from signals.alerts.reading import Order
from signals.alerts.terms import Terms

DIGITS = 24
OPENS, ENDS = "opens", "ends"


class Identity(NamedTuple):
    """The id of an alert's signal or exit.

    `earlier` is the id of the same body in the time before; it is the same alert if it came after
    `since`. `key` is what `signals.alerts.claims` knows the body by. They are empty if the alert
    says by itself which one it is.
    """

    own: str
    earlier: str = ""
    since: datetime | None = None
    key: str = ""

    @property
    def ids(self) -> list[str]:
        """Return the ids to look for."""
        return [self.own, self.earlier] if self.earlier else [self.own]


def identity(terms: Terms, order: Order, part: str, text: str, now: datetime) -> Identity:
    """Return the identity of the `part` of an order that opens, or that ends.

    An alert is known by the time of its bar, or its own id, and the id of its order; never by the
    time of sending. Without these it is known by its text, for the sender's `dedup_window`.
    """
    side = order.opens if part == OPENS else order.ends
    about = [terms.name, part, order.symbol, side]
    if order.marks:
        return Identity(_digest([*about, *order.marks]))
    about += ["text", sha256(text.encode("utf-8", "surrogatepass")).hexdigest()]
    window = terms.dedup_window
    if window <= 0:
        return Identity(_digest([*about, now.isoformat()]))
    slot = int(now.timestamp() // window)
    own, earlier = (_digest([*about, each]) for each in (slot, slot - 1))
    return Identity(own, earlier, now - timedelta(seconds=window), _digest(about))


def _digest(parts: Sequence[object]) -> str:
    return sha256(orjson.dumps(parts)).hexdigest()[:DIGITS]
