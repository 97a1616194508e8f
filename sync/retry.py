"""When to try a delivery again: soon at first, then ever later, and never all at once."""

from datetime import datetime, timedelta

LEASE = timedelta(minutes=1)
"""How long what a dead worker was at waits to be taken up again; a living one renews it."""
WAITS = (5, 60, 300, 1800, 7200, 21600, 43200, 86400)
"""Seconds after the first, second, ... attempt; the last one from then on."""
JITTER = 0.2
LONGEST_ASKED = 86400.0
"""Seconds; a `Retry-After` beyond that counts as that."""


def next_attempt(
    attempts: int, now: datetime, chance: float, asked: float | None = None
) -> datetime:
    """When a delivery that failed `attempts` times is due again.

    `chance`, from 0 to 1, spreads it by up to a fifth either way. `asked` is what Alpine asked
    for, in seconds: it is never tried earlier.
    """
    wait = WAITS[min(attempts, len(WAITS)) - 1] * (1 + JITTER * (2 * chance - 1))
    return now + timedelta(seconds=max(wait, min(asked or 0.0, LONGEST_ASKED)))
