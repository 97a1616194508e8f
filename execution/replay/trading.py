"""`replay --execute`: decisions, fills and the monitor on the bars' clock, on paper."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import IO, Any

from django.db import transaction
from django.db.models import Count

from execution.accounts.equity import Curve
from execution.accounts.halts import standing
from execution.accounts.rows import REPLAY
from execution.brokers.fill_model import Prices
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.protocol import FillReport
from execution.context import TradingContext
from execution.decisions import queue
from execution.decisions.engine import execute_due
from execution.factory import build_context, paper
from execution.models import Decision, Order, Position
from execution.monitoring import counterfactuals
from execution.monitoring.monitor import check_breach, close_due, not_counted, refresh
from execution.orders.router import send_due
from execution.positions.fills import record
from execution.positions.positions import measure_excursions
from execution.replay.account import free, stands_at, taken
from execution.types import Leg
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
    """Trades a replay's signals on the account `replay`, which nothing else touches.

    The account's time goes forward. What an earlier replay had traded by `stands_at` is there: the
    bars until then only tell the broker the last prices, and from that moment on the trades of one
    that was killed go on as if it had not been.
    """

    context: TradingContext
    broker: PaperBroker
    alone: IO[str]
    _curve: Curve | None = None
    _close_at: datetime | None = None

    def see(self, windows: Sequence[Bars]) -> None:
        """What the bars that just closed do to orders and positions."""
        prices = {bars.symbol: [self._last(bars)] for bars in windows}
        if self._is_known(prices):
            return
        if not self.broker.open_orders() and self.context.rule_set is None:
            return
        with transaction.atomic():  # or one that is killed leaves fills that nobody counts
            filled = self.broker.see(prices)
            is_closing = bool(filled) or self._is_closing()
            self._follow(filled)
            if is_closing:
                self._write()
        if is_closing:
            self._close_at = close_due(self.context)

    def _is_known(self, prices: Mapping[str, Sequence[Prices]]) -> bool:
        """Whether an earlier replay saw these prices; where it ended, do what it left undone."""
        now, stands_at = self.context.clock(), self.context.stands_at
        if stands_at is None:
            return False
        if now <= stands_at:
            with transaction.atomic():
                record(self.context, self.broker.see(prices))
        if now >= stands_at:
            self.context = replace(self.context, stands_at=None)
            send_due(self.context)
            self._close_at = close_due(self.context)
        return now <= stands_at

    def _follow(self, filled: Sequence[FillReport]) -> None:
        touched = record(self.context, filled)
        refresh(self.context, [order for order in touched if order.leg != Leg.ENTRY])
        self._mark(touched)

    def _mark(self, touched: Sequence[Order] = ()) -> None:
        """Add to the equity curve; it is written down when something happens."""
        money = self.broker.account()
        if self._curve is None:
            with transaction.atomic():
                self._curve = Curve.read(self.context, money)
        is_new = any(order.leg == Leg.ENTRY for order in touched)
        self._curve.add(money, not_counted(self.context, self._curve.latest) if is_new else 0)
        if self.context.rule_set is not None:
            self._write()
            check_breach(self.context, money)

    def _write(self) -> None:
        if self._curve is not None:
            with transaction.atomic():
                self._curve.write()

    def _last(self, bars: Bars) -> Prices:
        bar = bars.bar(-1)
        return Prices.of(bar, self.context.hours(bars.symbol).began(bar.time))

    def _is_closing(self) -> bool:
        """Whether something may have to be closed now that had not before."""
        due = self._close_at is not None and self.context.clock() >= self._close_at
        return due or self.context.rule_set is not None

    def decide(self, signal_ids: Sequence[str], flush: Callable[[], object]) -> None:
        """Decide on these signals, once `flush` has stored them, and send their orders.

        In many short transactions: one long one at every moment would keep all other writers, such
        as those of deliveries, from the database.
        """
        flush()
        rows = Signal.objects.filter(signal_id__in=signal_ids).values_list("pk", flat=True)
        with transaction.atomic():
            self._write()
            queue.insert(sorted(rows), REPLAY, self.context.clock())
        execute_due(self.context)

    def finish(self) -> dict[str, Any]:
        """What became of it all: how many decisions, by reason, and how trades ended."""
        self._write()
        while _at_once(counterfactuals.follow, self.context):
            pass
        while _at_once(measure_excursions, self.context):
            pass
        self.alone.close()
        return _summary(self.broker)


def _at_once(step: Callable[[TradingContext], int], context: TradingContext) -> int:
    """One transaction for many rows, each of which would wait for the disk alone."""
    with transaction.atomic():
        return step(context)


def execution(histories: Sequence[Bars], clock: Clock) -> PaperTrading:
    """Trading for a replay of these histories. The settings' limits, sizing and costs hold.

    Raises `Conflict` where another replay trades.
    """
    past = PastMarket({bars.symbol: bars for bars in histories}, clock)
    made = build_context(REPLAY, past, clock, partial(paper, is_exclusive=True))
    assert isinstance(made.broker, PaperBroker)  # noqa: S101  # `paper` makes no other
    alone = taken()
    free()
    return PaperTrading(replace(made, auto_execute=True, stands_at=stands_at()), made.broker, alone)


def _summary(broker: PaperBroker) -> dict[str, Any]:
    mine = Decision.objects.filter(account=REPLAY)
    statuses = mine.values_list("status").annotate(Count("pk")).order_by("status")
    skipped = mine.filter(status=Decision.Status.SKIPPED).values_list("skipped_for", flat=True)
    ended = Position.objects.filter(account=REPLAY).values_list("signal__outcome")
    halts = [halt.code for halt in standing(REPLAY)]
    return {
        "decisions": dict(statuses),
        "skipped": dict(Counter(code for codes in skipped for code in codes.split()).most_common()),
        "halts": dict.fromkeys(halts, 1),
        "outcomes": {name or "open": count for name, count in ended.annotate(Count("pk"))},
        "account": {"in equity": f"{broker.account().equity:.2f}"},
    }
