"""How long signals take from the call that logs them to their row."""

from collections.abc import Iterable
from datetime import datetime

from signals.ledger.records import IMPORTED
from signals.timestamps import parse_utc

PAST = IMPORTED | {"replay"}
"""Origins whose `received_at` is not of the wall clock, or not of the call: no latency is taken."""


def latencies(received: Iterable[str], stored_at: datetime) -> list[float]:
    """Return the seconds from each `received_at` to `stored_at`.

    A clock that was set back gives 0. A time that cannot be read is left out: the hash does not
    cover it, so anything may be on an altered line.
    """
    texts = list(received)  # the signals of one call have the same
    moments = {text: moment for text in set(texts) if (moment := _readable(text)) is not None}
    waited = {
        text: max(0.0, (stored_at - moment).total_seconds()) for text, moment in moments.items()
    }
    return [waited[text] for text in texts if text in waited]


def _readable(text: str) -> datetime | None:
    try:
        return parse_utc(text)
    except ValueError:
        return None
