"""Ends the signals of a sender: closes positions, or records outcomes at the alert's price.

What closes a position is in execution. The setting SIGNAL_EXIT_HANDLERS names functions that are
asked about each signal; the first answer other than FREE counts.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum, auto
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string

from argo.errors import InvalidInput
from signals import config
from signals.alerts.rows import lines_wait
from signals.ledger.in_time import LOOK_UPS, NoAnswer
from signals.ledger.outcomes import (
    AlreadyEnded,
    derived_outcome,
    record_outcome,
)
from signals.models import Alert, JournalCursor, Signal

WAIT = 0.5
"""Seconds that a look-up may take."""
WHY = "exit alert"
"""How the reason of an outcome begins that an exit alert has caused."""
Status = Alert.Status


class Ending(Enum):
    """What execution says about ending a signal."""

    FREE = auto()  # nothing is traded for it: it ends at the alert's price
    CLOSING = auto()  # its position closes, and gives the outcome
    BUSY = auto()  # it is being decided on or sent: ask again in a moment


ExitHandler = Callable[[int, str], Ending]
"""Takes the primary key of a signal and the reason; called outside of any transaction."""


class Ended(NamedTuple):
    """What an exit has done: signals whose position closes, whose outcome was recorded, that are
    busy, and that need a price which the alert lacks."""

    closing: list[str]
    recorded: list[str]
    busy: list[str]
    faults: dict[str, str]

    def __str__(self) -> str:
        parts = (
            ("closes the position of", self.closing),
            ("records the outcome of", self.recorded),
            ("waits for", self.busy),
        )
        told = [f"{what} {', '.join(names)}" for what, names in parts if names]
        told += [f"{name}: {why}" for name, why in self.faults.items()]
        return "; ".join(told) or "no signal of this sender in this symbol is open"


def may_end(sender: int, symbol: str, side: str) -> bool:
    """Return whether a signal may be open; also True if that cannot be known now."""
    try:
        return LOOK_UPS.within(WAIT, "default", lambda: _may_end(sender, symbol, side))
    except (NoAnswer, DatabaseError):
        return True


def _may_end(sender: int, symbol: str, side: str) -> bool:
    return _lines_wait() or any(True for _ in open_signals(sender, symbol, side))


def open_signals(
    sender: int, symbol: str, side: str, upto: datetime | None = None
) -> Iterator[Signal]:
    """Yield the sender's signals in a symbol that have no outcome, oldest first.

    An empty `side` is both; with `upto`, only what was received until then. A signal that has ended
    is marked, so that it is not looked at again.
    """
    rows = Alert.objects.filter(sender=sender, symbol=symbol, status=Status.SIGNAL)
    if side:
        rows = rows.filter(side=side)
    if upto is not None:
        rows = rows.filter(received_at__lte=upto)
    alerts = {row.signal_id: row.pk for row in rows.order_by("pk")}
    signals = {each.signal_id: each for each in Signal.objects.filter(signal_id__in=[*alerts])}
    ended = [pk for name, pk in alerts.items() if name in signals and signals[name].outcome]
    if ended:
        Alert.objects.filter(pk__in=ended, status=Status.SIGNAL).update(status=Status.ENDED)
    for name in alerts:
        if name in signals and signals[name].outcome is None:
            yield signals[name]


def carry_out(alert: Alert, now: datetime) -> Ended:
    """End what the exit asks for. To do it twice changes nothing."""
    done = Ended([], [], [], {})
    why = f"{WHY} of {alert.sender.name}"
    signals = open_signals(alert.sender_id, alert.symbol, alert.side, alert.received_at)
    for signal in list(signals):
        ending = _ending(signal.pk, why)
        if ending is Ending.BUSY:
            done.busy.append(signal.signal_id)
        elif ending is Ending.CLOSING:
            done.closing.append(signal.signal_id)
        else:
            _record(alert, signal, why, now, done)
    return done


def _record(alert: Alert, signal: Signal, why: str, now: datetime, done: Ended) -> None:
    try:
        record_outcome(
            signal.signal_id, outcome=derived_outcome(signal, alert.price), exit_price=alert.price,
            who=f"sender:{alert.sender.name}", why=why, now=now, journal=config.journal(),
            only_if_open=True,
        )  # fmt: skip
        done.recorded.append(signal.signal_id)
    except AlreadyEnded:
        pass  # it ended meanwhile, which is what the exit asks for
    except InvalidInput as error:
        done.faults[signal.signal_id] = str(error)


def _ending(signal: int, why: str) -> Ending:
    answers = (handler(signal, why) for handler in _handlers(settings.SIGNAL_EXIT_HANDLERS))
    return next((each for each in answers if each is not Ending.FREE), Ending.FREE)


@cache
def _handlers(paths: tuple[str, ...]) -> tuple[ExitHandler, ...]:
    return tuple(import_string(path) for path in paths)


def _lines_wait() -> bool:
    """Return whether a signal that was accepted may not be a row yet."""
    journal = config.journal()
    cursor = JournalCursor.objects.of(journal.identity)
    return (cursor.segment, cursor.byte) < tuple(journal.end()) or lines_wait()
