"""The problems of the ledger, of this machine's journal, disk and clock, and of the prices."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from signals import config
from signals.health import disk, feed, machine_clock
from signals.health.heartbeats import Signs
from signals.ledger import journal_state
from signals.ledger.dead_letters import unresolved
from signals.problems import Problem, ProblemKind
from signals.status_text import age, counted

LATE_FLUSHES = 3
SHORTEST_WAIT = timedelta(minutes=1)
"""A journal line that waits for this long, and for three regular flushes, is a problem."""

OLD_LINE = ProblemKind(
    "journal.old_line",
    "Start Argo, or its worker of the queue flush; its log says why if it runs. "
    "argo flush_signals stores what waits at once.",
    is_of_node=True,
)
DEAD_LETTERS = ProblemKind(
    "ledger.dead_letters",
    "Look at them in the admin site, correct the cause and store them again.",
    "recover.md#a-signal-could-not-be-stored",
)
OLD_PRICES = ProblemKind(
    "market.old_prices",
    "Check the market's feed: its keys, the network, or the files in MARKET_FOLDER. Signals are "
    "not made or traded at old prices.",
)
KINDS = (
    OLD_LINE,
    DEAD_LETTERS,
    OLD_PRICES,
    *journal_state.KINDS,
    *feed.KINDS,
    *disk.KINDS,
    *machine_clock.KINDS,
)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems that exist now."""
    yield from journal_problems(now)
    yield from feed.problems(now, longest_wait())
    yield from ledger_problems(now)
    yield from disk.disk_problems(config.journal().identity, settings.DATA_DIR)
    yield from machine_clock.clock_problems(settings.DATA_DIR)
    yield from price_problems(now)


def journal_problems(now: datetime) -> Iterator[Problem]:
    """Yield what is wrong with the journal's files, and if a line waits for too long."""
    state = journal_state.journal_state(config.journal())
    yield from state.problems
    if state.oldest is not None and now - state.oldest > longest_wait():
        waited = age(state.oldest, now)
        yield OLD_LINE.found(f"A journal line has waited for {waited:.0f} s to be stored.")


def longest_wait() -> timedelta:
    """Return for how long a line may wait to be stored, or to be in the feed."""
    return max(SHORTEST_WAIT, timedelta(seconds=LATE_FLUSHES * settings.SIGNAL_BATCH_TIMEOUT))


def ledger_problems(now: datetime) -> Iterator[Problem]:
    """Yield a problem if dead letters wait for a person."""
    if dead := unresolved():
        letters = counted(dead, "dead letter waits", "dead letters wait")
        yield DEAD_LETTERS.found(f"{letters} for a person.")


def price_problems(now: datetime) -> Iterator[Problem]:
    """Yield a problem if a process that lives uses a price that is too old."""
    old = [(row.old_price_at, row.old_price_of) for row in Signs.read().living if row.old_price_at]
    if old:
        time, symbol = min(old)
        waited = age(time, now)
        yield OLD_PRICES.found(f"The newest price of {symbol} is {waited:.0f} s old.")
