"""Follows signals that were not traded: the outcome that later bars would have given them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import TextField, Value
from django.db.models.functions import Concat

from argo.errors import ArgoError
from execution.accounts.failures import Guard, each_isolated
from execution.brokers.fill_model import Ended, Prices, ended
from execution.context import TradingContext
from execution.corporate.history import Fetched
from execution.corporate.recognition import BEFORE
from execution.corporate.scale import on_scale_at
from execution.models import Counterfactual
from execution.models.counterfactual import NO_PRICES
from execution.money import as_decimal
from execution.types import REPLAY, ExitReason, Side
from signals.ahead import limit
from signals.ledger.outcomes import outcome_of, profit_loss_pct
from signals.market.actions import jump_of
from signals.market.bars import BadBars, Bars
from signals.market.hours import TradingHours
from signals.models import Signal
from signals.rows import update

logger = logging.getLogger(__name__)

Changes = Mapping[str, Any]
"""New values of a counterfactual's fields, by name."""
RECHECK_INTERVAL, LONGEST_INTERVAL = timedelta(hours=1), timedelta(days=1)
"""The shortest and the longest time between two looks at the bars of one signal."""
LOOKS_A_LIFE = 24
"""A signal without a bar is looked at again after this part of its age."""
GIVE_UP_AFTER = timedelta(days=30)
"""How long after its expiry a signal without any bar is still looked at."""
BATCH_SIZE = 200


class CounterfactualExit(NamedTuple):
    """The exit that a trade would have had: its price, its time (UTC), and its reason."""

    price: float
    time: datetime
    by: ExitReason


def follow(context: TradingContext) -> int:
    """Compare the due counterfactuals with the bars since; return how many have ended.

    One that fails is looked at again later, like one without bars, and stops no other; the first
    failure is raised after them.

    The account is compared with a text built from the column, because SQLite would otherwise start
    from all decisions of the account.
    """
    now = context.clock()
    if context.account != REPLAY:
        _bring_back(now)
    due = Counterfactual.objects.filter(outcome=None, due_at__lte=now)
    on = Concat("signal__decision__account", Value(""), output_field=TextField())
    chosen = due.alias(on=on).filter(on=context.account).select_related("signal")
    with each_isolated() as guard:
        by_symbol = _by_symbol(context, chosen.order_by("due_at")[:BATCH_SIZE], guard)
        fetched = {name: _fetched(context, name, these, guard) for name, these in by_symbol.items()}
        if not by_symbol:
            return 0
        with transaction.atomic():
            done = [_follow(context, name, these, fetched[name], now, guard)
                    for name, these in by_symbol.items()]  # fmt: skip
    return sum(done)


def _bring_back(now: datetime) -> None:
    """Make due what a clock that was ahead has put off; a replay has a clock of its own."""
    far = Counterfactual.objects.filter(outcome=None, due_at__gt=limit(now, LONGEST_INTERVAL))
    if far.exists():  # on SQLite even an empty update waits for every writer
        far.update(due_at=now)


def _follow(
    context: TradingContext, symbol: str, these: Sequence[Counterfactual], fetched: Fetched | None,
    now: datetime, guard: Guard,
) -> int:  # fmt: skip
    """Compare the signals of one symbol with its bars; return how many have ended."""
    done, found = 0, _no_prices(these)
    with guard(f"Following {symbol}"):
        found = _prices(context, symbol, these, fetched)
    for each, prices in zip(these, found, strict=True):
        changes = _without_prices(each, now)
        with guard(each):
            changes = _changes(each, prices, now)
        # one that another process has ended meanwhile stays as it is
        is_written = update(Counterfactual, each.pk, changes, only_if={"outcome": None})
        done += is_written and "outcome" in changes
    return done


def _by_symbol(
    context: TradingContext, due: Iterable[Counterfactual], guard: Guard
) -> dict[str, list[Counterfactual]]:
    """Return the counterfactuals by the symbol of their bars, which is empty if it has none."""
    found: dict[str, list[Counterfactual]] = {}
    for each in due:
        name = ""
        with guard(each):
            name = _name(context, each.signal)
        found.setdefault(name, []).append(each)
    return found


def _name(context: TradingContext, signal: Signal) -> str:
    """Return the symbol under which the market has its bars now."""
    name = context.instrument(signal.symbol, signal.asset_type).symbol
    return context.history.name_now(name) if context.is_watched else name


def _fetched(
    context: TradingContext, symbol: str, these: Sequence[Counterfactual], guard: Guard
) -> Fetched | None:
    """Ask once for the bars since the oldest of these signals; None if there are none."""
    first = min(each.entered_at for each in these)
    with guard(f"Asking for the bars of {symbol}"):
        try:
            return context.history.fetch(symbol, first - BEFORE)
        except ArgoError as error:  # the market's own
            logger.warning("%d signals of %s cannot be followed now: %s", len(these), symbol, error)
    return None


def _prices(
    context: TradingContext, symbol: str, these: Sequence[Counterfactual], fetched: Fetched | None
) -> list[list[Prices]]:
    """Return the bars for each signal, on the scale of its own prices."""
    if fetched is None:
        return _no_prices(these)
    history, hours = context.history, context.hours(symbol)
    try:
        bars = history.learn(symbol, fetched)
    except BadBars as error:
        logger.warning("%d signals of %s cannot be followed now: %s", len(these), symbol, error)
        return _no_prices(these)
    actions = history.actions(symbol) if context.is_watched else []
    if actions:
        scaled = [on_scale_at(bars, actions, x.entered_at, x.signal.entry_price) for x in these]
        prices = [_as_prices(each, hours) for each in scaled]
    else:
        scaled = [bars for _ in these]
        prices = [_as_prices(bars, hours)] * len(these)
    is_split = history.may_split(symbol)
    return [
        [] if is_split and _is_off_scale(each, its) else found
        for each, its, found in zip(these, scaled, prices, strict=True)
    ]


def _no_prices(these: Sequence[Counterfactual]) -> list[list[Prices]]:
    return [[] for _ in these]


def _is_off_scale(each: Counterfactual, bars: Bars) -> bool:
    """Return whether the signal's price looks as if a split that nobody reports came after it.

    Such a signal is left alone: a price of another scale gives it no outcome.
    """
    row = bars.count_through(each.entered_at)
    return bool(row) and jump_of(each.signal.entry_price, float(bars.close[row - 1])) is not None


def _as_prices(bars: Bars, hours: TradingHours) -> list[Prices]:
    return [Prices.of(bar, hours.began(bar.time)) for bar in map(bars.bar, range(len(bars)))]


def _changes(each: Counterfactual, prices: Sequence[Prices], now: datetime) -> Changes:
    """Return how these prices end it, or when to look again.

    The prices may begin before the entry and go on after the expiry.
    """
    while_open = [price for price in prices if each.entered_at < price.time <= each.expires_at]
    found = exit_of(each.signal, each.entered_at, while_open)
    if found is None and now >= each.expires_at and while_open:
        last = while_open[-1]
        found = CounterfactualExit(float(last.close), last.time, ExitReason.EXPIRED)
    if found is not None:
        return _ended(each.signal, found)
    if while_open and now < each.expires_at + GIVE_UP_AFTER:
        return {"due_at": now + RECHECK_INTERVAL}
    return _without_prices(each, now)


def _without_prices(each: Counterfactual, now: datetime) -> Changes:
    """Return when to look again at one without any bar, or that nobody will know its outcome."""
    if now >= each.expires_at + GIVE_UP_AFTER:
        return {"due_at": None, "exit_reason": NO_PRICES, "ended_at": now}
    return {"due_at": now + _pause(each, now)}


def _pause(each: Counterfactual, now: datetime) -> timedelta:
    """Return the time until the next look while there is no bar: it grows with the age."""
    by_age = (now - each.entered_at) / LOOKS_A_LIFE
    return min(max(by_age, RECHECK_INTERVAL), LONGEST_INTERVAL)


def exit_of(
    signal: Signal, entered_at: datetime, prices: Sequence[Prices]
) -> CounterfactualExit | None:
    """Return the first exit at the signal's stop or target; None if no price reaches one.

    `prices` are oldest first; those up to `entered_at` are ignored.
    """
    levels = as_decimal(signal.stop_price), as_decimal(signal.target_price)
    for each in prices:
        if each.time <= entered_at:
            continue
        end: Ended | None = ended(Side(signal.action), *levels, each.known_after(entered_at))
        if end is not None:
            return CounterfactualExit(float(end.price), each.time, ExitReason(end.by))
    return None


def _ended(signal: Signal, found: CounterfactualExit) -> Changes:
    percent = profit_loss_pct(signal.action, signal.entry_price, found.price) or 0.0
    return {
        "outcome": outcome_of(percent, expired=found.by is ExitReason.EXPIRED),
        "exit_price": found.price,
        "exit_reason": found.by,
        "ended_at": found.time,
        "profit_loss_pct": percent,
    }
