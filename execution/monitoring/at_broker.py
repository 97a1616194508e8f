"""Recognises splits and renames by the broker's own positions and orders."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution.brokers.protocol import Holding, OrderReport
from execution.context import TradingContext
from execution.corporate.history import LATE
from execution.models import Fill, Order, Position
from execution.money import ZERO, times
from execution.types import Side
from signals.market.actions import ActionKind, jump_of

BROKER = "broker"
PRICE_TOLERANCE = Decimal("0.005")
"""How far the broker's average price may be from ours: it may count fees, and it rounds."""


class OurHolding(NamedTuple):
    """What our open positions hold of an instrument, below 0 if sold short, and for what money."""

    quantity: Decimal
    value: Decimal

    @property
    def average(self) -> Decimal:
        """Return the average price."""
        return self.value / self.quantity


def recognise(
    context: TradingContext, holdings: Sequence[Holding], orders: Sequence[OrderReport]
) -> None:
    """Store the splits and renames that the broker's records show beyond doubt.

    After a split it holds a whole ratio of our quantity, at our total price. After a rename it
    holds our quantity at our price under a new symbol, or has our own orders under it.
    """
    ours = our_holdings(context)
    theirs = {each.symbol: each for each in holdings if each.quantity}
    for symbol in ours.keys() & theirs.keys():
        _recognise_split(context, symbol, ours[symbol], theirs[symbol])
    missing = ours.keys() - theirs.keys()
    added = [each for each in theirs.values() if each.symbol not in ours]
    if missing and added:
        names = _new_names(context, orders)
        for symbol in missing:
            _recognise_rename(context, symbol, ours[symbol], added, names)


def our_holdings(context: TradingContext) -> dict[str, OurHolding]:
    """Return what our rows hold by instrument; an older version's rows may spell it otherwise."""
    found: dict[str, OurHolding] = defaultdict(lambda: OurHolding(ZERO, ZERO))
    for row in Position.objects.open_on(context.account):
        left = row.left if Side(row.side) is Side.BUY else -row.left
        symbol = context.instrument(row.symbol).symbol
        before = found[symbol]
        found[symbol] = OurHolding(before.quantity + left, before.value + left * row.entry_price)
    return {symbol: each for symbol, each in found.items() if each.quantity}


def _recognise_split(
    context: TradingContext, symbol: str, ours: OurHolding, theirs: Holding
) -> None:
    ratio = jump_of(float(theirs.quantity), float(ours.quantity))
    if ratio is None or _is_known(context, symbol):
        return
    is_whole = times(ours.quantity, ratio) == theirs.quantity
    if is_whole and _is_near(theirs.average_price, times(ours.average, 1 / ratio)):
        text = f"the broker holds {theirs.quantity:f} at {theirs.average_price:f}, where we have "
        context.history.memory.store(
            symbol, ActionKind.SPLIT, _latest_fill(context, symbol), context.clock(), source=BROKER,
            price=float(times(theirs.price, ratio)), new=Decimal(ratio.numerator),
            old=Decimal(ratio.denominator),
            why=f"{text}{ours.quantity:f} at {ours.average:f}",
        )  # fmt: skip


def _is_known(context: TradingContext, symbol: str) -> bool:
    """Return whether a split is known that the broker may count later or earlier than we do."""
    since = context.clock() - LATE
    known = context.history.actions(symbol)
    return any(each.kind == ActionKind.SPLIT and each.ex_at > since for each in known)


def _recognise_rename(
    context: TradingContext, symbol: str, ours: OurHolding, added: Iterable[Holding],
    names: Mapping[str, str],
) -> None:  # fmt: skip
    for each in added:
        is_same = each.quantity == ours.quantity
        is_paid_for = _is_near(each.average_price, ours.average)
        if is_same and (names.get(symbol) == each.symbol or is_paid_for):
            context.history.memory.store(
                symbol, ActionKind.RENAME, _latest_fill(context, symbol), context.clock(),
                source=BROKER, new_symbol=each.symbol,
                why=f"the broker holds our {ours.quantity:f} under this name",
            )  # fmt: skip
            return


def _new_names(context: TradingContext, orders: Sequence[OrderReport]) -> dict[str, str]:
    """Return the broker's symbols of our own orders, where they are not ours, by our symbol."""
    reports = {each.broker_id: each for each in orders}
    rows = Order.objects.of_broker(context.account, reports.keys())
    names = {row.symbol: reports[row.broker_id].symbol for row in rows}
    return {old: new for old, new in names.items() if old != new}


def _latest_fill(context: TradingContext, symbol: str) -> datetime:
    fills = Fill.objects.filter(account=context.account, order__symbol=symbol, refused="")
    latest = fills.order_by("-time").values_list("time", flat=True).first()
    return latest or context.clock()


def _is_near(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= PRICE_TOLERANCE * abs(other)
