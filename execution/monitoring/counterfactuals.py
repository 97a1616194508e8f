"""Follows signals that were not traded: the outcome that later bars would have given them."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import TextField, Value
from django.db.models.functions import Concat

from execution.brokers.fill_model import Ended, Prices, ended
from execution.context import TradingContext
from execution.models import Counterfactual
from execution.money import as_decimal
from execution.types import ExitReason, Side
from signals.ledger.outcomes import outcome_of, profit_loss_pct
from signals.models import Signal

logger = logging.getLogger(__name__)

RECHECK_INTERVAL = timedelta(hours=1)
BATCH_SIZE = 200


class CounterfactualExit(NamedTuple):
    """The exit that a trade would have had: its price, its time (UTC), and its reason."""

    price: float
    time: datetime
    by: ExitReason


def follow(context: TradingContext) -> int:
    """Compare the due counterfactuals with the bars since; return how many have ended.

    The account is compared with a text built from the column, because SQLite would otherwise start
    from all decisions of the account.
    """
    now = context.clock()
    due = Counterfactual.objects.filter(outcome=None, due_at__lte=now)
    on = Concat("signal__decision__account", Value(""), output_field=TextField())
    chosen = due.alias(on=on).filter(on=context.account).select_related("signal")
    by_symbol: dict[str, list[Counterfactual]] = {}
    for each in chosen.order_by("due_at")[:BATCH_SIZE]:
        name = context.instrument(each.signal.symbol, each.signal.asset_type).symbol
        by_symbol.setdefault(name, []).append(each)
    return sum(_follow(context, symbol, each, now) for symbol, each in by_symbol.items())


def _follow(
    context: TradingContext, symbol: str, these: Sequence[Counterfactual], now: datetime
) -> int:
    """Ask once for the bars of one symbol; return how many of its counterfactuals have ended."""
    try:
        bars = context.market.bars(symbol, now, min(each.entered_at for each in these))
        hours = context.hours(symbol)
        prices = [Prices.of(bar, hours.began(bar.time)) for bar in map(bars.bar, range(len(bars)))]
    except Exception as error:  # noqa: BLE001  # one symbol's feed must not block others
        logger.warning("%d signals of %s cannot be followed now: %s", len(these), symbol, error)
        prices = []
    return sum(_has_ended(each, prices, now) for each in these)


def _has_ended(each: Counterfactual, prices: Sequence[Prices], now: datetime) -> bool:
    """End it if these prices do, else look again later; return whether it ended.

    The prices may begin before the entry and go on after the expiry.
    """
    while_open = [price for price in prices if each.entered_at < price.time <= each.expires_at]
    found = exit_of(each.signal, each.entered_at, while_open)
    if found is None and now >= each.expires_at and while_open:
        last = while_open[-1]
        found = CounterfactualExit(float(last.close), last.time, ExitReason.EXPIRED)
    if found is None:
        later = now + RECHECK_INTERVAL
        Counterfactual.objects.filter(pk=each.pk).update(due_at=later)
        return False
    _end(each, found)
    return True


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


def _end(each: Counterfactual, found: CounterfactualExit) -> None:
    signal = each.signal
    percent = profit_loss_pct(signal.action, signal.entry_price, found.price) or 0.0
    Counterfactual.objects.filter(pk=each.pk, outcome=None).update(
        outcome=outcome_of(percent, expired=found.by is ExitReason.EXPIRED),
        exit_price=found.price,
        exit_reason=found.by,
        ended_at=found.time,
        profit_loss_pct=percent,
    )
