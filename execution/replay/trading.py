"""Trades a replay's signals on paper, by the clock of its bars (`replay --execute`)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count

from execution.accounts.equity import EquityCurve
from execution.accounts.halts import active as active_halts
from execution.brokers.fill_model import Prices
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.protocol import FillReport
from execution.context import TradingContext
from execution.decisions import queue
from execution.decisions.engine import execute_due
from execution.factory import account_rules, build_context, paper
from execution.models import Decision, Order, Position
from execution.models.decision import skipped_for
from execution.money import exact_text
from execution.monitoring import counterfactuals
from execution.monitoring.monitor import check_breach, close_due, not_counted, refresh
from execution.orders.router import send_due
from execution.positions.fills import record
from execution.positions.positions import measure_excursions
from execution.replay.account import lock_account, release_claims, traded_until
from execution.types import REPLAY, Leg, Reason
from signals.clock import Clock
from signals.database_locks import DatabaseLock
from signals.generation.replay import Traded
from signals.market.bars import Bars
from signals.market.protocol import Quote, UnknownSymbol
from signals.models import Signal


@dataclass(frozen=True)
class PastMarket:
    """A market that shows the replayed histories up to the replay's clock, and nothing later."""

    histories: dict[str, Bars]
    now: Clock

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that are replayed."""
        return tuple(self.histories)

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        """Return the bars that closed by `upto`. Raises `UnknownSymbol` for any other symbol."""
        if symbol not in self.histories:
            raise UnknownSymbol(symbol, self.symbols)
        return self.histories[symbol].between(since, min(upto, self.now()))

    def is_always_open(self, symbol: str) -> bool:
        """Return True if the symbol's history goes on at weekends."""
        return symbol in self.histories and self.histories[symbol].is_always_open(symbol)

    def quote(self, symbol: str) -> Quote | None:
        """Return the last close."""
        return Quote.last_close(self.bars(symbol, self.now()))


@dataclass
class PaperTrading:
    """Trades a replay's signals on the account `replay`, which nothing else uses.

    The account's time only goes forward. An earlier replay has traded until the context's
    `traded_until`: bars up to that moment only give the broker the last prices. From then on, the
    trades of a replay that was killed continue as if it had not been killed.
    """

    context: TradingContext
    broker: PaperBroker
    lock: DatabaseLock
    parameters: dict[str, Any]
    _curve: EquityCurve | None = None
    _close_at: datetime | None = None
    _signals: set[str] = field(default_factory=set)

    def see(self, windows: Sequence[Bars]) -> None:
        """Apply the bars that just closed to orders and positions."""
        prices = {bars.symbol: [self._last(bars)] for bars in windows}
        if self._was_traded(prices):
            return
        if not self.broker.open_orders() and self.context.rule_set is None:
            return
        with transaction.atomic():  # so that a kill leaves no fill that is not counted
            filled = self.broker.see(prices)
            is_closing = bool(filled) or self._is_closing()
            self._follow(filled)
            if is_closing:
                self._write()
        if is_closing:
            self._close_at = close_due(self.context)

    def _was_traded(self, prices: Mapping[str, Sequence[Prices]]) -> bool:
        """Return whether an earlier replay saw these prices; at its end, do what it left undone."""
        now, traded_until = self.context.clock(), self.context.traded_until
        if traded_until is None:
            return False
        if now <= traded_until:
            with transaction.atomic():
                record(self.context, self.broker.see(prices))
        if now >= traded_until:
            self.context = replace(self.context, traded_until=None)
            send_due(self.context)
            self._close_at = close_due(self.context)
        return now <= traded_until

    def _follow(self, filled: Sequence[FillReport]) -> None:
        touched = record(self.context, filled)
        refresh(self.context, [order for order in touched if order.leg != Leg.ENTRY])
        self._mark(touched)

    def _mark(self, touched: Sequence[Order] = ()) -> None:
        """Add to the equity curve, which is stored when something happens."""
        money = self.broker.account()
        if self._curve is None:
            with transaction.atomic():
                self._curve = EquityCurve.read(self.context, money)
        is_new = any(order.leg == Leg.ENTRY for order in touched)
        self._curve.add(money, not_counted(self.context, self._curve) if is_new else 0)
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
        """Return whether a position may have to be closed now."""
        due = self._close_at is not None and self.context.clock() >= self._close_at
        return due or self.context.rule_set is not None

    def decide(self, signal_ids: Sequence[str], flush: Callable[[], object]) -> None:
        """Store these signals with `flush`, decide on them, and send their orders.

        This takes many short transactions, because a long one would block all other writers of the
        database, such as deliveries. Raises `LockLost` if another replay may trade by now.
        """
        self.lock.verify()
        self._signals.update(signal_ids)
        flush()
        rows = Signal.objects.filter(signal_id__in=signal_ids).values_list("pk", flat=True)
        with transaction.atomic():
            self._write()
            queue.insert(sorted(rows), REPLAY, self.context.clock())
        execute_due(self.context).check()

    def finish(self) -> dict[str, Any]:
        """End the replay; return its decisions, reasons, halts, outcomes and equity for people."""
        self._write()
        while _in_one_transaction(counterfactuals.follow, self.context):
            pass
        while _in_one_transaction(measure_excursions, self.context):
            pass
        self.close()
        return _summary(self.broker)

    def traded(self) -> Traded:
        """Return the trades of this replay's signals that have ended."""
        closed = Position.objects.filter(account=REPLAY, status=Position.Status.CLOSED)
        rows = closed.order_by("closed_at", "pk").values_list(
            "signal__signal_id", "closed_at", "profit"
        )
        own = [
            (at, float(profit))
            for name, at, profit in rows
            if name in self._signals and at is not None and profit is not None
        ]
        late = skipped_for(Decision.objects.filter(account=REPLAY), Reason.TRADED_LATER)
        refused = self._signals.intersection(late.values_list("signal__signal_id", flat=True))
        return Traded(
            self.parameters, [at for at, _ in own], [profit for _, profit in own], not refused
        )

    def close(self) -> None:
        """Let another replay begin, also after an error."""
        self.lock.release()


def _in_one_transaction(step: Callable[[TradingContext], int], context: TradingContext) -> int:
    """Change many rows in one transaction, because each commit waits for the disk."""
    with transaction.atomic():
        return step(context)


def execution(histories: Sequence[Bars], clock: Clock) -> PaperTrading:
    """Return the trading for a replay of these histories, with the settings' limits and costs.

    Raises `Conflict` if another replay is trading.
    """
    past = PastMarket({bars.symbol: bars for bars in histories}, clock)
    made = build_context(REPLAY, past, clock, partial(paper, is_exclusive=True))
    assert isinstance(made.broker, PaperBroker)  # noqa: S101  # `paper` makes no other
    lock = lock_account()
    try:
        release_claims()
        context = replace(made, auto_execute=True, traded_until=traded_until())
    except BaseException:
        lock.release()  # otherwise this process would keep it, and no replay could begin
        raise
    return PaperTrading(context, made.broker, lock, _parameters(context, made.broker))


def _parameters(context: TradingContext, broker: PaperBroker) -> dict[str, Any]:
    """Return the rules and the costs of the account, as plain values."""
    model, firm = broker.fill_model, context.rule_set
    return account_rules().as_dict() | {
        "costs": {name: exact_text(cost) for name, cost in asdict(model.costs).items()},
        "volume_share": None if model.volume_share is None else exact_text(model.volume_share),
        "expiry_seconds": context.expiry.total_seconds(),
        "prop_firm": None if firm is None else firm.name,
    }


def _summary(broker: PaperBroker) -> dict[str, Any]:
    decisions = Decision.objects.filter(account=REPLAY)
    statuses = decisions.values_list("status").annotate(Count("pk")).order_by("status")
    skipped = decisions.filter(status=Decision.Status.SKIPPED).values_list("skipped_for", flat=True)
    ended = Position.objects.filter(account=REPLAY).values_list("signal__outcome")
    halts = [halt.code for halt in active_halts(REPLAY)]
    return {
        "decisions": dict(statuses),
        "skipped": dict(Counter(code for codes in skipped for code in codes.split()).most_common()),
        "halts": dict.fromkeys(halts, 1),
        "outcomes": {name or "open": count for name, count in ended.annotate(Count("pk"))},
        "account": {"in equity": f"{broker.account().equity:.2f}"},
    }
