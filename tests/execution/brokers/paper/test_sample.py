"""On all sample bars, brackets end exactly as in a plain loop, to the last digit."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest

from execution.brokers.fill_model import Costs, FillModel, Prices
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperStore
from execution.brokers.protocol import Bracket
from execution.models import PaperFill
from execution.types import Side
from signals.market.bars import Bars
from signals.market.hours import exchange_hours
from signals.market.sample import SYMBOLS, SampleMarket
from tests.execution.trading_fixtures import Clock

pytestmark = pytest.mark.django_db
HOURS = exchange_hours("XNYS")
EVERY = 20
"""A bracket is placed after this many bars, long and short in turn."""
COSTS = Costs(spread=Decimal("0.02"), slippage=Decimal("0.02"), fee=Decimal("0.1"))
WORSE = Decimal("0.0003")
PRECISION = Decimal("0.00000001")
Fills = list[tuple[str, Decimal, Decimal]]


class Plan(NamedTuple):
    """A bracket placed when bar `after` had closed, or in the middle of it."""

    name: str
    after: int
    is_early: bool
    side: Side
    stop: Decimal
    target: Decimal


def plans(bars: Bars) -> Iterator[Plan]:
    chance = random.Random(bars.symbol)
    for number, after in enumerate(range(5, len(bars) - 1, EVERY)):
        side = (Side.BUY, Side.SELL)[number % 2]
        sign, price = (1 if number % 2 == 0 else -1), float(bars.close[after])
        stop = Decimal(repr(price * (1 - sign * chance.uniform(0.005, 0.1))))
        target = Decimal(repr(price * (1 + sign * chance.uniform(0.005, 0.15))))
        yield Plan(f"{bars.symbol}-{after}", after, number % 3 == 0, side, stop, target)


def by_the_broker(bars: Bars) -> dict[str, Fills]:
    clock = Clock()
    store = PaperStore(bars.symbol, Decimal(10**12), is_exclusive=True)
    broker = PaperBroker(store, SampleMarket(), lambda symbol: HOURS, clock, FillModel(COSTS))
    planned = {plan.after: plan for plan in plans(bars)}
    for index in range(len(bars)):
        plan = planned.get(index)
        closed = bars.time_at(index)
        if plan and plan.is_early:
            clock.now = closed - timedelta(hours=1)
            _submit(broker, plan)
        clock.now = closed
        broker.see({bars.symbol: [Prices.of(bars.bar(index), HOURS.began(closed))]})
        if plan and not plan.is_early:
            _submit(broker, plan)
    return _filled(bars.symbol)


def _submit(broker: PaperBroker, plan: Plan) -> None:
    symbol = plan.name.partition("-")[0]
    broker.submit(
        Bracket(plan.name, symbol, plan.side, Decimal(10), plan.target, plan.stop, Decimal(1))
    )


def _filled(symbol: str) -> dict[str, Fills]:
    found: dict[str, Fills] = {}
    rows = PaperFill.objects.filter(order__account__name=symbol).order_by("pk")
    for name, price, fee in rows.values_list("order__client_order_id", "price", "fee"):
        entry, _, leg = name.partition("/")
        found.setdefault(entry, []).append((leg, price, fee))
    return found


def by_plain_loop(bars: Bars, plan: Plan) -> Fills:
    """Follow the bracket bar by bar, without any of the broker's code."""
    buys = plan.side is Side.BUY
    names = ("open", "high", "low", "close")
    rows = [tuple(Decimal(repr(float(getattr(bars, name)[i]))) for name in names)
            for i in range(plan.after, len(bars))]  # fmt: skip
    if plan.is_early:  # only the close of the present bar comes after
        rows[0] = (rows[0][3],) * 4
    else:
        rows = rows[1:]
    fills: Fills = [_fill("", _worse(rows[0][0], buys))]
    for opened, high, low, _ in rows:
        stopped = opened <= plan.stop if buys else opened >= plan.stop
        better = opened >= plan.target if buys else opened <= plan.target
        if stopped or better:
            price = _worse(opened, not buys) if stopped else opened
            return [*fills, _fill("stop" if stopped else "target", price)]
        if low <= plan.stop if buys else high >= plan.stop:
            return [*fills, _fill("stop", _worse(plan.stop, not buys))]
        if high >= plan.target if buys else low <= plan.target:
            return [*fills, _fill("target", plan.target)]
    return fills


def _worse(price: Decimal, buys: bool) -> Decimal:
    return (price * (1 + WORSE if buys else 1 - WORSE)).quantize(PRECISION)


def _fill(leg: str, price: Decimal) -> tuple[str, Decimal, Decimal]:
    return leg, price, (10 * price / 1000).quantize(PRECISION)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_brackets_on_the_sample_bars_end_as_in_a_plain_loop(symbol: str) -> None:
    bars = SampleMarket().bars(symbol)
    found, planned = by_the_broker(bars), list(plans(bars))
    assert {plan.name: by_plain_loop(bars, plan) for plan in planned} == found
    ended = [leg for fills in found.values() for leg, *_ in fills[1:]]
    assert min(ended.count("stop"), ended.count("target")) > 3
    assert len(found) > len(bars) / EVERY - 2
