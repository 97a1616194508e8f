"""What Argo knows of the scale of prices on one account's market, and how it learns more.

The market's own list of corporate actions comes first. Without one, an action is recognised by
history that changed: the newest bars are remembered, and compared at each look.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import log, prod
from typing import NamedTuple

import numpy as np
from django.db import transaction

from argo.errors import ArgoError
from execution.corporate.memory import MOMENT, PriceMemory
from execution.corporate.recognition import (
    AGREE,
    BEFORE,
    SAME,
    Pair,
    described,
    distance,
    factor_of,
    is_same,
    jumps_at,
    may_be,
    newest,
    remembered,
)
from execution.corporate.scale import as_traded
from execution.models import CorporateAction, SeenPrices
from execution.money import as_decimal
from execution.types import REPLAY
from signals.clock import Clock
from signals.market.actions import (
    ActionKind,
    AdjustsHistory,
    ListedAction,
    ListsActions,
    jump_of,
)
from signals.market.bars import Bars
from signals.market.instruments import Instrument, Kind
from signals.market.protocol import MarketData
from signals.rows import update

logger = logging.getLogger(__name__)

LOOK_INTERVAL, LIST_INTERVAL = timedelta(minutes=5), timedelta(hours=6)
"""How often the history is compared, and how often the market is asked for its list, at most; both
also happen when a price jumps."""
LATE = timedelta(days=30)
"""How long after an action a market or a broker may still count it."""
FRESH = timedelta(days=7)
"""A market adjusts its history within this time after a split."""
SMALLEST_JUMP = log(1.4)
"""A smaller jump looks like no split."""


class Fetched(NamedTuple):
    """A market's bars from `since` or earlier on, and what is new in its list of actions.

    `listed_at` is until when the list is known; None for an instrument that cannot split.
    """

    since: datetime
    bars: Bars
    listed_at: datetime | None = None
    listed: Sequence[ListedAction] = ()


@dataclass(frozen=True)
class PriceHistory:
    """The scale of prices on `market`, for `account`, by `clock`.

    `instrument` returns the instrument for a spelling; only stocks and what may be one can split.
    """

    account: str
    market: MarketData
    clock: Clock
    instrument: Callable[..., Instrument]

    @property
    def memory(self) -> PriceMemory:
        """Return what is stored of its prices."""
        return PriceMemory(self.account, self.clock)

    def actions(self, symbol: str) -> list[CorporateAction]:
        """Return the known actions of a symbol, also under earlier names, oldest first."""
        return self.memory.actions(symbol)

    def bars(self, symbol: str, since: datetime) -> Bars:
        """Return the bars since then, as they were traded; new actions are recognised.

        Raises what `MarketData.bars` raises.
        """
        return self.learn(symbol, self.fetch(symbol, since))

    def fetch(self, symbol: str, since: datetime, *, at_once: bool = False) -> Fetched:
        """Ask the market for the bars since then and, if it is time or `at_once`, for its list.

        Raises what `MarketData.bars` raises.
        """
        now = self.clock()
        if not self.may_split(symbol):
            return Fetched(since, self.market.bars(symbol, now, since))
        seen = self.memory.seen(symbol)
        first = seen.bars[0][0] if seen and seen.bars else (now - BEFORE).isoformat()
        bars = self.market.bars(symbol, now, min(since, datetime.fromisoformat(first)))
        listed_at, listed = self._listed(symbol, seen, now, at_once=at_once)
        return Fetched(since, bars, listed_at, listed)

    def learn(self, symbol: str, fetched: Fetched) -> Bars:
        """Store what was fetched shows of corporate actions, and return the bars as traded."""
        since, bars, listed_at, listed = fetched
        if listed_at is None:
            return bars
        with transaction.atomic():
            seen = self.memory.seen(symbol, locked=True)  # another process may have looked
            known = remembered(seen)
            for each in listed:
                self._store_listed(symbol, each, bars)
            unexplained = self._compare(symbol, seen, known, bars)
            traded = as_traded(bars, self.actions(symbol))
            usable = self._usable(symbol, traded)
            pairs = known if unexplained is not None else newest(bars.upto(len(usable)))
            self.memory.remember(symbol, pairs, listed_at, unexplained or "")
        return usable.between(since, self.clock())

    def _usable(self, symbol: str, traded: Bars) -> Bars:
        """Return the bars up to the first that jumps as at a split that nobody reports.

        A market that adjusts its history has done so for a jump of some days ago.
        """
        now = self.clock()
        is_adjusted = isinstance(self.market, AdjustsHistory) and self.market.is_adjusted(symbol)
        before, after = traded.close[:-1], traded.open[1:]
        for row in np.flatnonzero(np.abs(np.log(after / before)) > SMALLEST_JUMP).tolist():
            seen_at, at = traded.time_at(row), traded.time_at(row + 1)
            old, new = float(before[row]), float(after[row])
            ratio = jump_of(old, new)
            is_late = is_adjusted and at < now - FRESH
            if ratio is not None and not (is_late or self._is_explained(symbol, seen_at, at)):
                self.memory.doubt(symbol, as_decimal(old), as_decimal(new), at, ratio)
                return traded.upto(row + 1)
        return traded

    def look(self, symbol: str, *, at_once: bool = False) -> None:
        """Compare the history with what is remembered, if it is time or `at_once`.

        Raises what `MarketData.bars` raises.
        """
        if not self.may_split(symbol):
            return
        seen = self.memory.seen(symbol)
        if at_once or seen is None or self._is_due(seen.looked_at, LOOK_INTERVAL):
            self.learn(symbol, self.fetch(symbol, self.clock(), at_once=at_once))

    def last_close(self, symbol: str) -> tuple[Decimal, datetime] | None:
        """Return the newest close that is remembered and its time; None if there is none."""
        known = remembered(self.memory.seen(symbol)) if self.may_split(symbol) else []
        return (as_decimal(known[-1][1]), known[-1][0]) if known else None

    def unexplained(self, symbol: str) -> str:
        """Return how the history changed if nothing explains it; an empty text otherwise."""
        seen = self.memory.seen(symbol)
        return seen.unexplained if seen else ""

    def checked(
        self, symbol: str, before: Decimal, seen_at: datetime, after: Decimal, at: datetime
    ) -> bool:
        """Return whether a price `after`, at `at`, can follow `before`, seen at `seen_at`.

        If it looks like a split that nobody reports, it is a doubt: the price is not used until the
        market's history or a person explains it.
        """
        if not self.may_split(symbol):
            return True
        ratio = jump_of(float(before), float(after))
        if ratio is None or self._is_explained(symbol, seen_at, at):
            self.memory.trust(symbol)
            return True
        self.look(symbol, at_once=True)
        if self._is_explained(symbol, seen_at, at) or self._was_rebased(
            symbol, before, seen_at, at, ratio
        ):
            return True
        self.memory.doubt(symbol, before, after, at, ratio)
        return False

    def name_now(self, symbol: str) -> str:
        """Return the name that the instrument has now, after any rename."""
        name = symbol
        renames = CorporateAction.objects.filter(account=self.account, kind=ActionKind.RENAME)
        for each in renames.order_by("ex_at", "pk"):
            name = each.new_symbol if each.symbol == name else name
        return name

    def may_split(self, symbol: str) -> bool:
        """Return whether the instrument is a share, or may be one.

        The bars of a replay are all on one scale.
        """
        if self.account == REPLAY:
            return False
        kind = self.instrument(symbol).kind
        return kind.is_equity or kind is Kind.UNKNOWN

    def _was_rebased(
        self, symbol: str, before: Decimal, seen_at: datetime, at: datetime, ratio: Fraction
    ) -> bool:
        """Store a split if the market's own price of `seen_at` is not the one that was seen then.

        This shows a split since then, even if no bar was remembered.
        """
        found = self.market.bars(symbol, self.clock(), seen_at - BEFORE)
        bars = as_traded(found, self.actions(symbol))
        if not (row := bars.count_through(seen_at)):
            return False
        was = float(bars.close[row - 1])
        if jump_of(float(before), was) != ratio:
            return False
        new, old = Decimal(ratio.numerator), Decimal(ratio.denominator)
        self.memory.store(
            symbol, ActionKind.SPLIT, seen_at, max(at, seen_at + MOMENT), source="history",
            price=float(before), new=new, old=old, rebased_by=float(old / new),
            why=f"the market's price of {seen_at:%Y-%m-%d} was {before:f}, and is {was:g} now",
        )  # fmt: skip
        return True

    def _is_explained(self, symbol: str, since: datetime, upto: datetime) -> bool:
        splits = (ActionKind.SPLIT, ActionKind.NONE)
        found = (each for each in self.actions(symbol) if each.kind in splits)
        return any(since < each.ex_at and each.after <= upto for each in found)

    def _is_due(self, last: datetime, interval: timedelta) -> bool:
        now = self.clock()
        return not now - interval < last <= now  # a time in the future counts as long ago

    def _listed(
        self, symbol: str, seen: SeenPrices | None, now: datetime, *, at_once: bool
    ) -> tuple[datetime, Sequence[ListedAction]]:
        """Return until when the market's list is known now, and what is new in it."""
        market = self.market
        last = seen.listed_at if seen else now - BEFORE
        if not isinstance(market, ListsActions):
            return now, ()
        if seen is not None and not at_once and not self._is_due(last, LIST_INTERVAL):
            return last, ()
        since = min(now, last) - BEFORE  # a vendor may list an action late
        try:
            return now, market.actions(symbol, since, now)
        except ArgoError as error:  # its prices are of use without the list
            logger.warning("The corporate actions of %s are not known: %s", symbol, error)
            return last, ()

    def _store_listed(self, symbol: str, listed: ListedAction, bars: Bars) -> None:
        known = self.actions(symbol)
        if any(is_same(each, listed) for each in known):
            return
        self.memory.store(
            symbol, listed.kind, listed.ex_at - MOMENT, listed.ex_at, source="market",
            new=listed.new, old=listed.old, cash=listed.cash, new_symbol=listed.new_symbol,
            rebased_by=None if jumps_at(bars, listed) else listed.rebased_by,
            why="the market reports it",
        )  # fmt: skip

    def _compare(
        self, symbol: str, seen: SeenPrices | None, known: Sequence[Pair], bars: Bars
    ) -> str | None:
        """Store what a changed history shows; return None if all of it is explained.

        Otherwise return what is not, or an empty text if only the market's own change is awaited.
        """
        factor = factor_of(known, bars)
        if seen is None or factor is None:
            return None
        actions = self.actions(symbol)
        pending = [each for each in actions if each.after >= known[-1][0]]
        expected = prod(each.rebased_by or 1.0 for each in pending)
        tolerance = AGREE if pending else SAME
        if distance(factor, expected) <= min(tolerance, distance(factor, 1.0)):
            return None
        if distance(factor, 1.0) <= SAME:  # the market reports first, and changes bars later
            for each in pending:
                update(CorporateAction, each.pk, {"rebased_by": None})
            return ""
        recent = [each for each in actions if each.ex_at >= known[-1][0] - LATE]
        return self._recognise(symbol, known[-1], factor, recent)

    def _recognise(
        self, symbol: str, last: Pair, factor: float, recent: Sequence[CorporateAction]
    ) -> str | None:
        """Store the action that multiplied the remembered bars by `factor`."""
        for each in recent:
            if each.rebased_by is None and may_be(each, factor):
                is_split = each.kind == ActionKind.SPLIT
                exact = float(1 / each.ratio) if is_split else factor
                update(CorporateAction, each.pk, {"rebased_by": exact})
                return None
        (at, price), terms = last, described(factor, last[1])
        text = f"the market's history up to {at:%Y-%m-%d} was multiplied by {factor:.6g}"
        if terms is None:
            return f"{text}, which is no usual split or dividend of {symbol}"
        ex_at = max(self.clock(), at + MOMENT)  # until now a price of the old scale may be seen
        self.memory.store(symbol, after=at, ex_at=ex_at, price=price, source="history", why=text,
                    **terms)  # fmt: skip
        return None
