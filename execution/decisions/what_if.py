"""How an account stands with its limits, and how it would stand after a proposed trade."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from argo.errors import Unavailable
from execution.accounts.compliance import days_of
from execution.accounts.portfolio import portfolio
from execution.accounts.rows import account_row
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.decisions.intents import intent_of, latest, size
from execution.decisions.prechecks import stale_reason
from execution.money import TWO, ZERO, as_decimal
from execution.prop_firm import measures as standing
from execution.prop_firm.days import Day, NoStanding, record
from execution.prop_firm.measures import Measure
from execution.risk.headroom import Headroom, after_loss, headroom, loss_at_stop
from execution.risk.model import Intent, Portfolio
from execution.risk.rules import denials
from execution.types import Denial, Side
from signals.ledger.queries import signal_of
from signals.models import Signal


@dataclass(frozen=True)
class Proposal:
    """A trade that somebody thinks of. What is left out: the quantity is sized, the target lies as
    far away as the stop, and the confidence suffices."""

    symbol: str
    side: Side
    entry: Decimal
    stop: Decimal
    quantity: Decimal | None = None
    target: Decimal | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Standing:
    """An account and its limits, at one time; `firm` has the measures of the prop firm, if any.

    `after` a trade: had it taken its place and its money, and lost at its stop. Without a trade
    `intent` is None, and what is `after` empty. `denials` are all that speaks against it now.
    """

    money: Account
    before: list[Headroom]
    after: list[Headroom]
    firm_before: list[Measure]
    firm_after: list[Measure]
    intent: Intent | None
    denials: list[Denial]


def stand(context: TradingContext, trade: str | Proposal | None = None) -> Standing:
    """How the account stands, with the trade of a stored signal, another one, or none.

    Nothing is written but what the account began with, where it is new, and nothing is locked: who
    only looks holds up no decision. Raises `NotFound`, `BrokerError`, and `Unavailable` where the
    account's figures are none.
    """
    signal = signal_of(trade) if isinstance(trade, str) else None
    money, now = context.broker.account(), context.clock()
    wanted = intent_of(context, signal) if signal else None
    if isinstance(trade, Proposal):
        wanted = _intent(context, trade, now)
    held = portfolio(context, money, now, locked=False)
    try:
        return _stand(context, money, held, wanted, signal, now)
    except (NoStanding, ArithmeticError) as error:
        raise Unavailable(f"The account's figures make no standing: {error}") from error


def _stand(
    context: TradingContext,
    money: Account,
    held: Portfolio,
    wanted: Intent | None,
    signal: Signal | None,
    now: datetime,
) -> Standing:
    symbol = wanted.symbol if wanted else None
    before = headroom(held, context.limits, now, symbol)
    if wanted is None:
        return Standing(money, before, [], _measures(context, money, ZERO), [], None, [])
    intent, why = (wanted, []) if wanted.quantity else size(context, wanted, held)
    stale = stale_reason(context, signal, now) if signal else None
    return Standing(
        money,
        before,
        headroom(after_loss(held, intent, now), context.limits, now, symbol),
        _measures(context, money, ZERO),
        _measures(context, money, loss_at_stop(intent)),
        intent,
        [*([stale] if stale else []), *why, *denials(intent, held, context.limits, now)],
    )


def _intent(context: TradingContext, proposal: Proposal, now: datetime) -> Intent:
    quote, market_open = latest(context, proposal.symbol)
    mirrored = TWO * proposal.entry - proposal.stop
    sure = context.limits.min_confidence
    return Intent(
        signal_id="",
        symbol=proposal.symbol,
        side=proposal.side,
        quantity=proposal.quantity or ZERO,
        entry=proposal.entry,
        target=mirrored if proposal.target is None else proposal.target,
        stop=proposal.stop,
        confidence=sure if proposal.confidence is None else proposal.confidence,
        made_at=now,
        price=as_decimal(quote.price) if quote else None,
        price_time=quote.time if quote else None,
        market_open=market_open,
    )


def _measures(context: TradingContext, money: Account, loss: Decimal) -> list[Measure]:
    """Of the firm's rules, with this very moment taken for a mark."""
    if context.rule_set is None:
        return []
    start, days = account_row(context.account, money).start_balance, _days(context, money)
    return standing.after_loss(context.rule_set, start, days, money.equity, money.balance, loss)


def _days(context: TradingContext, money: Account) -> list[Day]:
    days = days_of(context.account)
    today = record(days, context.day_of(money.time), money.equity, money.balance, 0)
    return [*(day for day in days if day.day < today.day), today]
