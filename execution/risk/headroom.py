"""How far an account is from each of its limits: pure functions of the portfolio.

They use the counters of `execution.risk.model`, which the risk rules use too.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution.money import ZERO
from execution.risk.model import Intent, Limits, Portfolio
from execution.types import Side


class Headroom(NamedTuple):
    """One limit: how much is `used`, and how much is `left` until it denies; negative if exceeded.

    `unit` is "count", "money" (the account's currency) or "percent". `code` is the risk rule's.
    """

    code: str
    text: str
    unit: str
    used: Decimal
    limit: Decimal
    left: Decimal


def headroom(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None = None
) -> list[Headroom]:
    """Return every limit that is set, in the order of the rules.

    Limits for each symbol are those of `symbol`, or else of the symbol that is nearest to them.
    """
    return [each for ask in ASKED for each in ask(portfolio, limits, now, symbol)]


def after_loss(portfolio: Portfolio, intent: Intent, now: datetime) -> Portfolio:
    """Return the portfolio after the worst planned end of this trade: it takes a place, its money
    is used, and it has lost what it loses at its stop."""
    return replace(
        portfolio.with_order(intent, now),
        equity=portfolio.equity - loss_at_stop(intent),
        losses=[now, *portfolio.losses],
    )


def loss_at_stop(intent: Intent) -> Decimal:
    """Return what the trade loses at its stop, from the price or the entry: the one that is
    further away. Costs and gaps are not included. 0 if the stop is on the other side of both."""
    prices = [intent.entry] if intent.price is None else [intent.entry, intent.price]
    sign = 1 if intent.side is Side.BUY else -1
    return max(ZERO, *(sign * (price - intent.stop) for price in prices)) * intent.quantity


def _positions(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    if limits.max_positions is not None:
        yield _count(
            "positions", "positions are held", len(portfolio.holdings), limits.max_positions
        )


def _held(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    counts = {each: len(portfolio.of(each)) for each in _symbols(portfolio, symbol)}
    nearest = max(counts, key=lambda each: counts[each], default=None)
    if nearest is not None:
        text = f"positions in {nearest} are held"
        yield _count("held", text, counts[nearest], limits.max_per_symbol)


def _groups(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    if limits.max_per_group is None:
        return
    for members in limits.groups:
        if symbol is None or symbol in members:
            held = len(portfolio.in_group(members))
            text = f"of {', '.join(sorted(members))} are held, which move together"
            yield _count("group", text, held, limits.max_per_group)


def _size(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    if limits.max_position is None:
        return
    values = {each: portfolio.value_of(each) for each in _symbols(portfolio, symbol)}
    largest = max(values, key=lambda each: values[each], default=None)
    most = limits.most_per_position(portfolio.equity)
    used = values[largest] if largest else ZERO
    text = f"{used:.2f} is held in {largest or 'any symbol'}; the limit is {most:.2f}"
    yield Headroom("size", text, "money", used, most, most - used)


def _buying_power(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    bound = sum((holding.value for holding in portfolio.holdings), ZERO)
    left = portfolio.buying_power
    text = f"{bound:.2f} is in use; the buying power is {left:.2f}"
    yield Headroom("buying_power", text, "money", bound, bound + left, left)


def _daily_loss(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    if limits.max_daily_loss is not None:
        text = "of the day's first equity lost"
        yield _percent("daily_loss", text, portfolio.lost_today, limits.max_daily_loss)


def _drawdown(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    if limits.max_drawdown is not None:
        text = "below the peak equity"
        yield _percent("drawdown", text, portfolio.below_peak, limits.max_drawdown)


def _pace(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    if limits.orders_a_minute is not None:
        recent = portfolio.orders_in_last_minute(now)
        yield _count("pace", "orders in the last minute", recent, limits.orders_a_minute)


def _cooldown(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Headroom]:
    """Count the losses in a row. After the pause one more loss in the same row starts the next."""
    losses, text = len(portfolio.losses), "losses in a row"
    if losses >= limits.losses_in_a_row and not limits.is_cooling_down(portfolio, now):
        losses, text = limits.losses_in_a_row - 1, f"{text} count after the pause"
    yield _count("cooldown", text, losses, limits.losses_in_a_row)


Ask = Callable[[Portfolio, Limits, datetime, str | None], Iterator[Headroom]]
ASKED: tuple[Ask, ...] = (
    _positions, _held, _groups, _size, _buying_power, _daily_loss, _drawdown, _pace, _cooldown,
)  # fmt: skip


def _symbols(portfolio: Portfolio, symbol: str | None) -> list[str]:
    return [symbol] if symbol else sorted({holding.symbol for holding in portfolio.holdings})


def _count(code: str, text: str, used: int, limit: int) -> Headroom:
    whole = Decimal(limit)
    return Headroom(
        code, f"{used} of {limit} {text}", "count", Decimal(used), whole, whole - Decimal(used)
    )


def _percent(code: str, text: str, used: Decimal, limit: Decimal) -> Headroom:
    return Headroom(
        code, f"{used:.2f}% {text}; the limit is {limit}%", "percent", used, limit, limit - used
    )
