"""What is held: the open positions, with the distance from the last price to stop and target.

The prices are those that the monitor has seen and stored. No market is asked for others: that would
load its library into the page's process, and a file's last price is of another time than a replay.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from argo.dashboard.charts import levels_bar
from argo.dashboard.panel import Content, Moment
from execution.models import Position, SeenPrices
from execution.money import HUNDRED, ZERO, as_decimal
from execution.types import Side
from signals.timestamps import moment_of

MOST = 12


class Price(NamedTuple):
    """The close of the newest bar that the monitor has seen, and the bar's time."""

    value: Decimal
    at: datetime


def read(moment: Moment) -> Content:
    """Return the account's open positions, the newest first."""
    held = Position.objects.open_on(moment.account)[::-1]
    prices = _prices(moment.account, {position.symbol for position in held[:MOST]})
    rows = [_row(each, _since(each, prices.get(each.symbol))) for each in held[:MOST]]
    return {"account": moment.account, "number": len(held), "rows": rows}


def _prices(account: str, symbols: Iterable[str]) -> dict[str, Price]:
    """Return the last price of each symbol; none that a split or an error puts in doubt."""
    seen = SeenPrices.objects.filter(account=account, symbol__in=symbols, doubt="", unexplained="")
    return {
        row.symbol: Price(as_decimal(close), time)
        for row in seen
        for at, close in row.bars[-1:]
        if (time := moment_of(at)) is not None
    }


def _since(position: Position, price: Price | None) -> Price | None:
    """Return the price if it is of the time since the position was opened: one from before tells
    neither a profit nor a loss."""
    return price if price is not None and price.at >= position.opened_at else None


def _row(position: Position, price: Price | None) -> dict[str, Any]:
    row = {"position": position, "price": price}
    if price is None or price.value <= ZERO:
        return row
    sign = 1 if position.side == Side.BUY else -1
    moved = sign * (price.value - position.entry_price)
    return row | {
        "moved": moved / position.entry_price * HUNDRED,
        "profit": moved * position.left,
        "to_stop": sign * (price.value - position.stop) / price.value * HUNDRED,
        "to_target": sign * (position.target - price.value) / price.value * HUNDRED,
        "bar": levels_bar(
            f"{position.symbol}: the price between stop and target",
            *map(float, (position.stop, position.target, price.value, position.entry_price)),
        ),
    }
