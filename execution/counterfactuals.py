"""What would have come of signals that were not traded, by the bars that followed."""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import TextField, Value
from django.db.models.functions import Concat

from execution.desk import Desk
from execution.matching import Ended, Prices, as_decimal, ended
from execution.models import Counterfactual
from execution.risk.intent import Side
from signals.market.bars import Bars
from signals.models import Signal
from signals.outcomes import profit_loss_pct
from signals.timestamps import parse_utc

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(hours=1)
AT_ONCE = 200


class Result(NamedTuple):
    """How it would have ended: at which price, when, and by what."""

    price: float
    time: datetime
    by: str


def begin(signal: Signal, expiry: timedelta, now: datetime) -> None:
    """Follow this signal, inside the caller's transaction, from when it was made."""
    try:
        entered_at = parse_utc(signal.timestamp)
    except ValueError:
        return  # of an imported signal without an offset: no bar is surely after it
    Counterfactual.objects.get_or_create(
        signal=signal,
        defaults={"entered_at": entered_at, "expires_at": entered_at + expiry, "due_at": now},
    )


def follow(desk: Desk) -> int:
    """Look at the bars for those that are due; how many have ended.

    The account is compared by a text made of it: else SQLite begins with all its decisions.
    """
    now = desk.clock()
    due = Counterfactual.objects.filter(outcome=None, due_at__lte=now)
    on = Concat("signal__decision__account", Value(""), output_field=TextField())
    chosen = due.alias(on=on).filter(on=desk.account).select_related("signal")
    count = 0
    for each in chosen.order_by("due_at")[:AT_ONCE]:
        try:
            count += _follow(desk, each, now)
        except Exception as error:  # noqa: BLE001  # one symbol's feed holds up no other
            logger.warning("%s: it cannot be followed now: %s", each.signal, error)
            _again(each, now)
    return count


def _follow(desk: Desk, each: Counterfactual, now: datetime) -> bool:
    signal = each.signal
    bars = desk.market.bars(signal.symbol, min(now, each.expires_at), each.entered_at)
    hours = desk.hours(signal.symbol)
    prices = [Prices.of(bar, hours.began(bar.time)) for bar in map(bars.bar, range(len(bars)))]
    result = result_of(signal, each.entered_at, prices)
    if result is None and now >= each.expires_at:
        result = _expired(each, bars)
    if result is None:
        _again(each, now)
        return False
    _end(each, result)
    return True


def result_of(signal: Signal, entered_at: datetime, prices: list[Prices]) -> Result | None:
    """The first exit that these prices, oldest first, bring; None where they bring none."""
    levels = as_decimal(signal.stop_price), as_decimal(signal.target_price)
    for each in prices:
        if each.time <= entered_at:
            continue
        end: Ended | None = ended(Side(signal.action), *levels, each.known_after(entered_at))
        if end is not None:
            return Result(float(end.price), each.time, end.by)
    return None


def _expired(each: Counterfactual, bars: Bars) -> Result | None:
    """At the last close within its time; None where no bar followed at all."""
    if not len(bars) or bars.time_at(-1) <= each.entered_at:
        return None
    return Result(float(bars.close[-1]), bars.time_at(-1), "expired")


def _end(each: Counterfactual, result: Result) -> None:
    signal = each.signal
    percent = profit_loss_pct(signal.action, signal.entry_price, result.price) or 0.0
    Counterfactual.objects.filter(pk=each.pk, outcome=None).update(
        outcome="expired" if result.by == "expired" else outcome_of(percent),
        exit_price=result.price,
        exit_reason=result.by,
        ended_at=result.time,
        profit_loss_pct=percent,
    )


def outcome_of(percent: float) -> str:
    """The outcome that a profit or loss in percent makes."""
    if percent == 0:
        return "breakeven"
    return "win" if percent > 0 else "loss"


def _again(each: Counterfactual, now: datetime) -> None:
    Counterfactual.objects.filter(pk=each.pk).update(due_at=now + LOOK_EVERY)
