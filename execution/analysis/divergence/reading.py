"""Reads the trades of signals that have closed on an account."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any, NamedTuple

from execution.analysis.divergence.trades import AccountFill, AccountTrade
from execution.models import Fill, Order, Position, PositionChange
from execution.money import ZERO, times
from execution.types import REPLAY, Leg
from signals.market.actions import ActionKind
from signals.retrieval.selection import among

SIMULATED = frozenset((REPLAY, "paper"))
"""Accounts whose fills follow from the bars and the costs of the settings."""
MOST = 5_000
"""The last closed trades that are compared, if there are more."""
FEW = 500
"""Signals that are asked for by their ids; of more, all closed trades are read and chosen from."""
_COLUMNS = (
    "pk", "signal__signal_id", "account", "quantity", "entry_price", "exit_price", "exit_reason",
    "fees", "profit", "closed_at",
)  # fmt: skip


class ClosedTrade(NamedTuple):
    """A closed trade: `decided` is the price at which it was decided, None if it is not known."""

    account: str
    closed_at: datetime
    decided: float | None
    trade: AccountTrade


@dataclass(frozen=True)
class Carried:
    """What corporate actions did to a position: shares of today for one, and money received."""

    ratio: Fraction = Fraction(1)
    dividends: Decimal = ZERO


def kind_of(account: str) -> str:
    """Return the kind of an account: replay, live, or paper, the broker's own one included."""
    if account == REPLAY:
        return REPLAY
    return "live" if account.endswith("-live") else "paper"


def closed_trades(
    signal_ids: Iterable[str], as_of: datetime | None = None, most: int = MOST
) -> dict[str, ClosedTrade]:
    """Return the trade of each of these signals that has closed; of more than `most`, the last.

    A position that a person settled by the broker's figures has no prices, and is left out. With
    `as_of` so are those that closed later.
    """
    keys = sorted(_newest(set(signal_ids), as_of, most))
    if not keys:
        return {}
    carried, fills, decided = _carried(keys), _fills(keys), _decided(keys)
    rows = Position.objects.filter(among("pk", keys)).order_by("-closed_at", "-pk")
    chosen = set(keys)
    return {
        row["signal__signal_id"]: ClosedTrade(
            row["account"],
            row["closed_at"],
            decided.get(row["pk"]),
            _trade(row, fills[row["pk"]], carried.get(row["pk"], Carried())),
        )
        for row in rows.values(*_COLUMNS).iterator()
        if row["pk"] in chosen
    }


def _newest(signal_ids: set[str], as_of: datetime | None, most: int) -> Iterator[int]:
    """Yield the keys of the positions that closed last, at most `most` of them."""
    closed = Position.objects.filter(
        status=Position.Status.CLOSED, profit__isnull=False, settled_quantity=ZERO
    )
    if len(signal_ids) <= FEW:
        closed = closed.filter(signal__signal_id__in=signal_ids)
    if as_of is not None:
        closed = closed.filter(closed_at__lte=as_of)
    rows = closed.order_by("-closed_at", "-pk").values_list("pk", "signal__signal_id")
    return islice((pk for pk, name in rows.iterator() if name in signal_ids), most)


def _trade(
    row: dict[str, Any], fills: Sequence[tuple[str, AccountFill]], carried: Carried
) -> AccountTrade:
    """Return the trade for one share of the signal's time."""
    shares = times(row["quantity"], 1 / carried.ratio)
    is_split = carried.ratio != 1
    by_leg: dict[bool, list[AccountFill]] = {True: [], False: []}
    for leg, fill in () if is_split else fills:  # after a split only the averages are on one scale
        by_leg[leg == Leg.ENTRY].append(fill)
    return AccountTrade(
        entry=float(times(row["entry_price"], carried.ratio)),
        exit=float(times(row["exit_price"], carried.ratio)),
        entries=by_leg[True],
        exits=by_leg[False],
        exit_reason=row["exit_reason"],
        fees=float(row["fees"] / shares),
        dividends=float(carried.dividends / shares),
        profit=float(row["profit"] / shares),
        is_simulated=row["account"] in SIMULATED,
        is_carried=is_split or bool(carried.dividends),
    )


def _carried(keys: Sequence[int]) -> dict[int, Carried]:
    found: dict[int, Carried] = {}
    changes = PositionChange.objects.filter(among("position", keys)).select_related("action")
    for each in changes:
        before = found.get(each.position_id, Carried())
        is_paid = each.action.kind == ActionKind.DIVIDEND
        paid = before.dividends + (each.cash if is_paid else ZERO)
        found[each.position_id] = Carried(before.ratio * each.action.ratio, paid)
    return found


def _fills(keys: Sequence[int]) -> dict[int, list[tuple[str, AccountFill]]]:
    """Return the legs and fills that count, oldest first, by the signal's key."""
    rows = Fill.objects.filter(among("order__signal", keys), refused="").order_by("time", "pk")
    columns = ("order__signal", "order__leg", "time", "price", "quantity")
    found: dict[int, list[tuple[str, AccountFill]]] = defaultdict(list)
    for signal, leg, at, price, quantity in rows.values_list(*columns).iterator():
        found[signal].append((leg, AccountFill(at, float(price), float(quantity))))
    return found


def _decided(keys: Sequence[int]) -> dict[int, float]:
    """Return the price of each decision."""
    entries = Order.objects.filter(among("signal", keys), leg=Leg.ENTRY, level__isnull=False)
    rows = entries.order_by("-number").values_list("signal_id", "level")
    return {signal: float(level) for signal, level in rows if level is not None}
