"""How far an account is from each of its limits: pure functions of the portfolio."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution.fields import ZERO
from execution.risk.model import Holding, Intent, Limits, Portfolio, Side
from execution.risk.rules import HUNDRED, MINUTE


class Distance(NamedTuple):
    """One limit: `used` of it, and what is `left` until it denies; below 0 it is passed.

    Numbers, money of the account's currency, or percent, as `unit` says. `code` is the risk rule's.
    """

    code: str
    text: str
    unit: str
    used: Decimal
    limit: Decimal
    left: Decimal


def distances(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None = None
) -> list[Distance]:
    """Every limit that is set, by the rule's order. Those of a symbol: of `symbol`, else of the
    one that is nearest to them."""
    return [each for ask in ASKED for each in ask(portfolio, limits, now, symbol)]


def after_loss(portfolio: Portfolio, intent: Intent, now: datetime) -> Portfolio:
    """The portfolio at the worst that the plan of this trade allows: it has its place and its money
    is bound, and it has lost what it loses at its stop."""
    price = intent.entry if intent.price is None else intent.price
    held = Holding(intent.symbol, intent.side, intent.quantity, price)
    return replace(
        portfolio,
        equity=portfolio.equity - loss_at_stop(intent),
        buying_power=portfolio.buying_power - intent.value,
        holdings=[*portfolio.holdings, held],
        orders=[*portfolio.orders, now],
        losses=[now, *portfolio.losses],
    )


def loss_at_stop(intent: Intent) -> Decimal:
    """What the trade loses at its stop, from the price or the entry, whichever is farther; costs
    and gaps aside. 0 where the stop is on the other side of both."""
    prices = [intent.entry] if intent.price is None else [intent.entry, intent.price]
    sign = 1 if intent.side is Side.BUY else -1
    return max(ZERO, *(sign * (price - intent.stop) for price in prices)) * intent.quantity


def _positions(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    if limits.max_positions is not None:
        held = len({holding.symbol for holding in portfolio.holdings})
        yield _count("positions", "positions are held", held, limits.max_positions)


def _held(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    counts = {each: len(portfolio.of(each)) for each in _symbols(portfolio, symbol)}
    nearest = max(counts, key=lambda each: counts[each], default=None)
    if nearest is not None:
        text = f"positions in {nearest} are held"
        yield _count("held", text, counts[nearest], limits.max_per_symbol)


def _groups(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    if limits.max_per_group is None:
        return
    for members in limits.groups:
        if symbol is None or symbol in members:
            held = {each.symbol for each in portfolio.holdings} & members
            text = f"of {', '.join(sorted(members))} are held, which move together"
            yield _count("group", text, len(held), limits.max_per_group)


def _size(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    if limits.max_position is None:
        return
    values = {
        each: sum((holding.value for holding in portfolio.of(each)), ZERO)
        for each in _symbols(portfolio, symbol)
    }
    largest = max(values, key=lambda each: values[each], default=None)
    most = portfolio.equity * limits.max_position / HUNDRED
    used = values[largest] if largest else ZERO
    text = f"{used:.2f} are held of {largest or 'any symbol'}; it may be {most:.2f}"
    yield Distance("size", text, "money", used, most, most - used)


def _buying_power(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    bound = sum((holding.value for holding in portfolio.holdings), ZERO)
    left = portfolio.buying_power
    text = f"{bound:.2f} are bound; there is {left:.2f} to buy with"
    yield Distance("buying_power", text, "money", bound, bound + left, left)


def _daily_loss(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    if limits.max_daily_loss is not None:
        lost = _percent_below(portfolio.day_start, portfolio.equity)
        yield _percent("daily_loss", "of the day's first equity lost", lost, limits.max_daily_loss)


def _drawdown(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    if limits.max_drawdown is not None:
        below = _percent_below(portfolio.peak, portfolio.equity)
        yield _percent("drawdown", "below the highest equity", below, limits.max_drawdown)


def _pace(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    if limits.orders_a_minute is not None:
        recent = sum(now - MINUTE < moment for moment in portfolio.orders)
        yield _count("pace", "orders in the last minute", recent, limits.orders_a_minute)


def _cooldown(
    portfolio: Portfolio, limits: Limits, now: datetime, symbol: str | None
) -> Iterator[Distance]:
    """A pause that is over lets trade again; one loss more is one in the same row, and the next
    pause begins."""
    losses, text = len(portfolio.losses), "losses in a row"
    if losses >= limits.losses_in_a_row:
        passed = (now - max(portfolio.losses)).total_seconds()
        if passed >= limits.cooldown:
            losses, text = limits.losses_in_a_row - 1, f"{text} count after the pause"
    yield _count("cooldown", text, losses, limits.losses_in_a_row)


Ask = Callable[[Portfolio, Limits, datetime, str | None], Iterator[Distance]]
ASKED: tuple[Ask, ...] = (
    _positions, _held, _groups, _size, _buying_power, _daily_loss, _drawdown, _pace, _cooldown,
)  # fmt: skip


def _symbols(portfolio: Portfolio, symbol: str | None) -> list[str]:
    return [symbol] if symbol else sorted({holding.symbol for holding in portfolio.holdings})


def _count(code: str, text: str, used: int, limit: int) -> Distance:
    whole = Decimal(limit)
    return Distance(
        code, f"{used} of {limit} {text}", "count", Decimal(used), whole, whole - Decimal(used)
    )


def _percent(code: str, text: str, used: Decimal, limit: Decimal) -> Distance:
    return Distance(
        code, f"{used:.2f}% {text}; it may be {limit}%", "percent", used, limit, limit - used
    )


def _percent_below(level: Decimal, equity: Decimal) -> Decimal:
    return (level - equity) / level * HUNDRED
