"""Decides on signals: asks the rules, and writes down an order or every reason against it."""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from django.db import DatabaseError, transaction

from argo.errors import ArgoError
from execution.accounts import compliance as firm
from execution.accounts.portfolio import portfolio
from execution.brokers.fill_model import as_decimal
from execution.brokers.protocol import Account, BrokerError
from execution.context import Desk
from execution.decisions import queue as decisions
from execution.decisions.queue import Mine
from execution.fields import ZERO
from execution.models import Decision, Order
from execution.monitoring import counterfactuals
from execution.orders.router import new_bracket, send, send_due
from execution.risk.model import Intent, Portfolio, Side
from execution.risk.rules import Denial, denials
from execution.risk.sizing import NoSize, to_step
from execution.risk.volatility import volatility
from signals.ledger.outcomes import record_order
from signals.market.instruments import normalised
from signals.market.protocol import FeedError, Quote, UnknownSymbol
from signals.models import Signal, SignalContext
from signals.rows import read_one
from signals.timestamps import parse_utc

logger = logging.getLogger(__name__)

AT_ONCE, MANY = 20, 500
PAUSE = 0.1
"""Seconds between so many, for others that write."""
RETRY_AFTER = timedelta(seconds=5)
HUNDRED = Decimal(100)
BY = "execution"
OFF = Denial("auto_execute_disabled", "AUTO_EXECUTE is off: signals are traded only when asked for")


@dataclass
class Tally:
    """What became of the decisions of one run."""

    executed: int = 0
    skipped: int = 0
    postponed: int = 0


def send_and_decide(desk: Desk) -> Tally:
    """Send what is on its way, and decide on everything that waits for it.

    An order that cannot be sent keeps nothing from being decided on: what sending it raises is
    raised in the end.
    """
    try:
        send_due(desk)
    finally:
        tally = execute_due(desk)
    return tally


def execute_due(desk: Desk, only: int | None = None) -> Tally:
    """Decide on everything that waits for it, oldest first, or `only` on this signal's row."""
    owner = f"{os.getpid()}-{uuid4().hex}"
    tally = Tally()
    if only is None and desk.account != decisions.REPLAY:  # which decides signals as it makes them
        tally.skipped = _skip_backlog(desk)
    while True:
        mine = decisions.claim(desk.account, owner, AT_ONCE, desk.clock(), only)
        for each in mine:
            _count(tally, _decide(desk, each))
        if len(mine) < AT_ONCE:
            return tally


def _skip_backlog(desk: Desk) -> int:
    """Skip what needs no rule for it, many in a transaction, lest a backlog keep the flush from the
    database; then, once fewer are left, the rest is decided one by one. How many it skipped."""
    count = 0
    while True:
        now = desk.clock()
        with transaction.atomic():
            waiting = decisions.unasked(MANY, now)
            found = [(each, why) for each in waiting if (why := _beforehand(desk, each, now))]
            decisions.skip_each(desk.account, found, now)
            counterfactuals.begin((each.signal for each, _ in found), desk.expiry, now)
        count += len(found)
        if len(found) < MANY:
            return count
        time.sleep(PAUSE)


def _count(tally: Tally, status: Decision.Status) -> None:
    names = {Decision.Status.EXECUTED: "executed", Decision.Status.SKIPPED: "skipped"}
    name = names.get(status, "postponed")
    setattr(tally, name, getattr(tally, name) + 1)


def _decide(desk: Desk, mine: Mine) -> Decision.Status:
    try:
        if why := _beforehand(desk, mine.decision, desk.clock()):
            return _skip(desk, mine, [why])
        asked_at = desk.clock()
        return _judge(desk, mine, replace(desk.broker.account(), time=asked_at))
    except DatabaseError:
        raise
    except BrokerError as error:
        logger.warning("%s: not decided yet, the broker failed: %s", mine.decision.signal, error)
    except Exception:  # one that fails blocks no other; too old at last, it is skipped
        logger.exception("%s: not decided yet", mine.decision.signal)
    decisions.postpone(mine, desk.clock() + RETRY_AFTER)
    return Decision.Status.PENDING


def _beforehand(desk: Desk, decision: Decision, now: datetime) -> Denial | None:
    """What needs no broker to be said."""
    if desk.is_behind():
        return Denial("traded_later", f"the account {desk.account} was traded until "
                      f"{desk.stands_at:%Y-%m-%d %H:%M} UTC already, and trades forward in time: "
                      "replay what came before in a data folder of its own")  # fmt: skip
    if not (desk.auto_execute or decision.asked_by):
        return OFF
    if decision.signal.outcome is not None:
        return Denial("ended", f"the signal has an outcome already: {decision.signal.outcome}")
    return why_stale(desk, decision.signal, now)


def why_stale(desk: Desk, signal: Signal, now: datetime) -> Denial | None:
    """Why the signal is too old to be traded, or made in the future."""
    try:
        age = now - parse_utc(signal.timestamp)
    except ValueError as error:
        return Denial("stale", f"the signal's time is none: {error}")
    if abs(age) <= desk.max_age:
        return None
    return Denial("stale", f"the signal is {age.total_seconds():.0f} s old; it may be "
                  f"{desk.max_age.total_seconds():.0f} s")  # fmt: skip


def _judge(desk: Desk, mine: Mine, money: Account) -> Decision.Status:
    """One decision at a time on an account: the next one sees this one's order."""
    try:
        wanted = intent_of(desk, mine.decision.signal)
    except (ValueError, ArithmeticError) as error:
        return _skip(desk, mine, [Denial("figures", f"the signal makes no trade: {error}")])
    with transaction.atomic():
        now = desk.clock()
        held = portfolio(desk, money, now)
        intent, why = size(desk, wanted, held)
        why += denials(intent, held, desk.limits, now)
        why += firm.denials(desk, money, intent.symbol, now)
        entry = None if why else _order(desk, mine, intent, now)
    if why:
        return _skip(desk, mine, why)
    if entry is None:  # another worker has the decision
        return Decision.Status.PENDING
    _send(desk, entry)
    return Decision.Status.EXECUTED


def _send(desk: Desk, entry: Order) -> None:
    """Now, or at the monitor's next look: the decision is made either way."""
    try:
        send(desk, entry)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s could not be sent yet", entry)


def intent_of(desk: Desk, signal: Signal) -> Intent:
    """The trade that the signal wants at the latest price, without a quantity yet."""
    quote, market_open = latest(desk, signal.symbol)
    rounded = desk.instrument(signal.symbol).rounded
    intent = Intent(
        signal_id=signal.signal_id,
        symbol=normalised(signal.symbol),
        side=Side(signal.action),
        quantity=ZERO,
        entry=as_decimal(signal.entry_price),
        target=as_decimal(rounded(signal.target_price)),
        stop=as_decimal(rounded(signal.stop_price)),
        confidence=signal.confidence,
        made_at=parse_utc(signal.timestamp),
        strategy=signal.strategy,
        regime=_regime(signal),
        price=as_decimal(quote.price) if quote else None,
        price_time=quote.time if quote else None,
        market_open=market_open,
    )
    return _measured(desk, intent) if desk.sizing.is_scaled else intent


def _regime(signal: Signal) -> str:
    statement = "SELECT * FROM signal_contexts WHERE id = %s"
    context = read_one(SignalContext, statement, [signal.pk])
    return (context and context.regime) or ""


def latest(desk: Desk, symbol: str) -> tuple[Quote | None, bool | None]:
    """The latest price and whether the market is open; None where it cannot be had."""
    try:
        is_open = desk.hours(symbol).is_open(desk.clock(), desk.grace)
        return desk.market.quote(normalised(symbol)), is_open
    except (FeedError, UnknownSymbol, ValueError) as error:
        logger.warning("%s: no price: %s", symbol, error)
    except Exception:
        logger.exception("%s: the market failed; there is no price", symbol)
    return None, None


def _measured(desk: Desk, intent: Intent) -> Intent:
    """With its volatility, where it can be had."""
    try:
        found = volatility(desk.market.bars(intent.symbol, desk.clock()))
    except (ArgoError, ValueError) as error:
        logger.warning("%s: no volatility: %s", intent.symbol, error)
        return intent
    if found is None:
        return intent
    return replace(intent, volatility=found.present, usual_volatility=found.usual)


def size(desk: Desk, intent: Intent, held: Portfolio) -> tuple[Intent, list[Denial]]:
    """The intent with its quantity: what sizing gives, within the limits of size and money."""
    step = desk.broker.step(intent.symbol)
    try:
        threshold = desk.limits.confidence_for(intent)
        wanted = desk.sizing.quantity(held.equity, intent, threshold, step)
        most = to_step(_affordable(desk, intent, held) / intent.dearest, step)
        quantity = min(wanted, most)
    except (NoSize, ArithmeticError) as error:
        return intent, [Denial("sizing", f"no quantity can be worked out: {error}")]
    if quantity <= ZERO:
        return intent, [Denial("too_small", f"not even {step} of {intent.symbol} may be traded")]
    return replace(intent, quantity=quantity), []


def _affordable(desk: Desk, intent: Intent, held: Portfolio) -> Decimal:
    """The most that this trade may cost, what is held of its symbol taken off."""
    if desk.limits.max_position is None:
        return held.buying_power
    there = sum((holding.value for holding in held.of(intent.symbol)), ZERO)
    return min(held.buying_power, held.equity * desk.limits.max_position / HUNDRED - there)


def _order(desk: Desk, mine: Mine, intent: Intent, now: datetime) -> Order | None:
    """The order, the decision and the signal's `order_id`, in one transaction."""
    entry = new_bracket(desk, mine.decision.signal, intent, now)
    if not decisions.execute(mine, entry.client_order_id, now):
        transaction.set_rollback(True)
        return None
    counterfactuals.forget(mine.decision.pk)  # of an earlier decision
    record_order(mine.decision.signal.signal_id, entry.client_order_id, who=BY,
                 why="executed", now=now, journal=desk.journal)  # fmt: skip
    return entry


def _skip(desk: Desk, mine: Mine, why: Sequence[Denial]) -> Decision.Status:
    now, signal = desk.clock(), mine.decision.signal
    with transaction.atomic():
        if decisions.skip(mine, why, now):
            counterfactuals.begin([signal], desk.expiry, now)
            if signal.order_id:  # journaled by a worker that died before its order was a row
                record_order(signal.signal_id, None, who=BY, why="there is no such order",
                             now=now, journal=desk.journal)  # fmt: skip
    return Decision.Status.SKIPPED
