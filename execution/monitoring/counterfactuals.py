"""What would have come of signals that were not traded, by the bars that followed."""

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
from execution.types import Side
from signals.ledger.outcomes import outcome_of, profit_loss_pct
from signals.models import Signal

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(hours=1)
AT_ONCE = 200


class Result(NamedTuple):
    """How it would have ended: at which price, when, and by what."""

    price: float
    time: datetime
    by: str


def follow(context: TradingContext) -> int:
    """Look at the bars for those that are due; how many have ended.

    The account is compared by a text made of it: else SQLite begins with all its decisions.
    """
    now = context.clock()
    due = Counterfactual.objects.filter(outcome=None, due_at__lte=now)
    on = Concat("signal__decision__account", Value(""), output_field=TextField())
    chosen = due.alias(on=on).filter(on=context.account).select_related("signal")
    by_symbol: dict[str, list[Counterfactual]] = {}
    for each in chosen.order_by("due_at")[:AT_ONCE]:
        by_symbol.setdefault(each.signal.symbol, []).append(each)
    return sum(_follow(context, symbol, each, now) for symbol, each in by_symbol.items())


def _follow(
    context: TradingContext, symbol: str, these: Sequence[Counterfactual], now: datetime
) -> int:
    """Those of one symbol, whose bars are asked for once; how many have ended."""
    try:
        bars = context.market.bars(symbol, now, min(each.entered_at for each in these))
        hours = context.hours(symbol)
        prices = [Prices.of(bar, hours.began(bar.time)) for bar in map(bars.bar, range(len(bars)))]
    except Exception as error:  # noqa: BLE001  # one symbol's feed holds up no other
        logger.warning("%d signals of %s cannot be followed now: %s", len(these), symbol, error)
        prices = []
    return sum(_ended(each, prices, now) for each in these)


def _ended(each: Counterfactual, prices: Sequence[Prices], now: datetime) -> bool:
    """Whether these prices ended it; they may begin before it and go on after it."""
    mine = [price for price in prices if each.entered_at < price.time <= each.expires_at]
    result = result_of(each.signal, each.entered_at, mine)
    if result is None and now >= each.expires_at and mine:
        result = Result(float(mine[-1].close), mine[-1].time, "expired")
    if result is None:
        Counterfactual.objects.filter(pk=each.pk).update(due_at=now + LOOK_EVERY)
        return False
    _end(each, result)
    return True


def result_of(signal: Signal, entered_at: datetime, prices: Sequence[Prices]) -> Result | None:
    """The first exit that these prices, oldest first, bring; None where they bring none."""
    levels = as_decimal(signal.stop_price), as_decimal(signal.target_price)
    for each in prices:
        if each.time <= entered_at:
            continue
        end: Ended | None = ended(Side(signal.action), *levels, each.known_after(entered_at))
        if end is not None:
            return Result(float(end.price), each.time, end.by)
    return None


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
