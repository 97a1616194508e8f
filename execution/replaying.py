"""`replay --execute`: decisions, fills and the monitor on the bars' clock, on paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count

from execution import counterfactuals, decisions
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.protocol import Execution, Leg
from execution.deciding import execute_due
from execution.decisions import REPLAY
from execution.desk import Desk
from execution.equity import Curve
from execution.filling import record
from execution.halts import standing
from execution.matching import Prices
from execution.models import Decision, Order, Position
from execution.monitor import check_breach, close_due, not_counted, refresh
from execution.positions import measure_excursions
from execution.wiring import desk_of, paper
from signals.clock import Clock
from signals.market.bars import Bars
from signals.market.protocol import Quote, UnknownSymbol
from signals.models import Signal


@dataclass(frozen=True)
class PastMarket:
    """The histories that are replayed, as far as the clock has come."""

    histories: dict[str, Bars]
    now: Clock

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those that are replayed."""
        return tuple(self.histories)

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        """The bars that had closed by then. Raises `UnknownSymbol`."""
        if symbol not in self.histories:
            raise UnknownSymbol(symbol, self.symbols)
        return self.histories[symbol].between(since, min(upto, self.now()))

    def quote(self, symbol: str) -> Quote | None:
        """The last close."""
        return Quote.last_close(self.bars(symbol, self.now()))


@dataclass
class PaperTrading:
    """Trades a replay's signals on the account `replay`, which nothing else touches."""

    desk: Desk
    broker: PaperBroker
    _curve: Curve | None = None
    _close_at: datetime | None = None

    def see(self, windows: Sequence[Bars]) -> None:
        """What the bars that just closed do to orders and positions."""
        if not self.broker.open_orders():
            return
        filled = self.broker.see({bars.symbol: [self._last(bars)] for bars in windows})
        if filled or self._is_closing():
            self._follow(filled)
        else:
            self._mark()

    def _follow(self, filled: Sequence[Execution]) -> None:
        touched = record(self.desk, filled)
        refresh(self.desk, [order for order in touched if order.leg != Leg.ENTRY])
        self._mark(touched)
        self._write()
        self._close_at = close_due(self.desk)

    def _mark(self, touched: Sequence[Order] = ()) -> None:
        """Add to the equity curve; it is written down when something happens."""
        money = self.broker.account()
        if self._curve is None:
            with transaction.atomic():
                self._curve = Curve.read(self.desk, money)
        self._curve.add(money, not_counted(self.desk) if touched else 0)
        if self.desk.rule_set is not None:
            self._write()
            check_breach(self.desk, money)

    def _write(self) -> None:
        if self._curve is not None:
            with transaction.atomic():
                self._curve.write()

    def _last(self, bars: Bars) -> Prices:
        bar = bars.bar(-1)
        return Prices.of(bar, self.desk.hours(bars.symbol).began(bar.time))

    def _is_closing(self) -> bool:
        """Whether something may have to be closed now that had not before."""
        due = self._close_at is not None and self.desk.clock() >= self._close_at
        return due or self.desk.rule_set is not None

    def decide(self, signal_ids: Sequence[str], flush: Callable[[], object]) -> None:
        """Decide on these signals, once `flush` has stored them, and send their orders.

        In many short transactions: one long one at every moment would keep all other writers, such
        as those of deliveries, from the database.
        """
        flush()
        self._write()
        rows = Signal.objects.filter(signal_id__in=signal_ids).values_list("pk", flat=True)
        decisions.insert(sorted(rows), REPLAY, self.desk.clock())
        execute_due(self.desk)

    def finish(self) -> dict[str, Any]:
        """What became of it all: how many decisions, by reason, and how trades ended."""
        self._write()
        while counterfactuals.follow(self.desk):
            pass
        while measure_excursions(self.desk):
            pass
        return _summary()


def execution(histories: Sequence[Bars], clock: Clock) -> PaperTrading:
    """Trading for a replay of these histories. The settings' limits, sizing and costs hold."""
    past = PastMarket({bars.symbol: bars for bars in histories}, clock)
    made = desk_of(REPLAY, past, clock, partial(paper, is_exclusive=True))
    assert isinstance(made.broker, PaperBroker)  # noqa: S101  # `paper` makes no other
    return PaperTrading(replace(made, auto_execute=True), made.broker)


def _summary() -> dict[str, Any]:
    mine = Decision.objects.filter(account=REPLAY)
    statuses = mine.values_list("status").annotate(Count("pk")).order_by("status")
    ended = Position.objects.filter(account=REPLAY).values_list("signal__outcome")
    halts = [halt.code for halt in standing(REPLAY)]
    return {
        "decisions": dict(statuses),
        "halts": dict.fromkeys(halts, 1),
        "outcomes": {str(name): count for name, count in ended.annotate(Count("pk"))},
    }
