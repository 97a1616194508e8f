"""Shows an account's limits as they are now, and as they would be after a proposed trade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from argo.errors import Unavailable
from execution.accounts.bases import Base, firm_bases, own_bases
from execution.accounts.compliance import curve_of
from execution.accounts.portfolio import portfolio
from execution.accounts.rows import account_row
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.decisions.intents import intent_of, latest, size
from execution.decisions.prechecks import stale_reason
from execution.money import TWO, ZERO, as_decimal
from execution.prop_firm import measures
from execution.prop_firm.days import NotMeasurable
from execution.prop_firm.measures import Measure
from execution.risk.headroom import Headroom, after_loss, headroom, loss_at_stop
from execution.risk.model import Intent, Portfolio
from execution.risk.rules import denials
from execution.types import Denial, Side
from signals.ledger.queries import signal_of
from signals.models import Signal


@dataclass(frozen=True)
class Proposal:
    """A trade that somebody considers.

    Defaults: `quantity` is sized, `target` is as far from the entry as the stop, and `confidence`
    is just enough.
    """

    symbol: str
    side: Side
    entry: Decimal
    stop: Decimal
    quantity: Decimal | None = None
    target: Decimal | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Outlook:
    """An account and its limits now, and after a proposed trade that lost at its stop.

    `after` counts the trade's position, its money and its loss. `firm_before` and `firm_after` are
    the prop firm's measures, if there is a firm. `bases` and `firm_bases` are what the limits are
    counted from, by their codes. `denials` are all reasons against the trade now. Without a trade,
    `intent` is None and `after`, `firm_after` and `denials` are empty.
    """

    money: Account
    before: list[Headroom]
    after: list[Headroom]
    firm_before: list[Measure]
    firm_after: list[Measure]
    intent: Intent | None
    denials: list[Denial]
    bases: Mapping[str, Base]
    firm_bases: Mapping[str, Base]


def outlook(context: TradingContext, trade: str | Proposal | None = None) -> Outlook:
    """Return the account's limits now, and after a trade: a stored signal's id, or a proposal.

    No row is locked, so a reader delays no decision; only a new account's first row is written.
    Raises `NotFound` for an unknown signal, `BrokerError` if the broker fails, and `Unavailable` if
    the account's figures are not valid.
    """
    signal = signal_of(trade) if isinstance(trade, str) else None
    money, now = context.broker.account(), context.clock()
    wanted = intent_of(context, signal) if signal else None
    if isinstance(trade, Proposal):
        wanted = _intent(context, trade, now)
    held = portfolio(context, money, now, locked=False)
    try:
        return _outlook(context, money, held, wanted, signal, now)
    except (NotMeasurable, ArithmeticError) as error:
        raise Unavailable(f"The limits cannot be measured: {error}") from error


def _outlook(
    context: TradingContext,
    money: Account,
    held: Portfolio,
    wanted: Intent | None,
    signal: Signal | None,
    now: datetime,
) -> Outlook:
    symbol = wanted.symbol if wanted else None
    before = headroom(held, context.limits, now, symbol)
    firm_before = _measures(context, money, ZERO)
    bases = _bases(context, money, held, firm_before)
    if wanted is None:
        return Outlook(money, before, [], firm_before, [], None, [], *bases)
    intent, why = (wanted, []) if wanted.quantity else size(context, wanted, held)
    stale = stale_reason(context, signal, now) if signal else None
    return Outlook(
        money,
        before,
        headroom(after_loss(held, intent, now), context.limits, now, symbol),
        firm_before,
        _measures(context, money, loss_at_stop(intent)),
        intent,
        [*([stale] if stale else []), *why, *denials(intent, held, context.limits, now)],
        *bases,
    )


def _bases(
    context: TradingContext, money: Account, held: Portfolio, firm: Sequence[Measure]
) -> tuple[Mapping[str, Base], Mapping[str, Base]]:
    """Return the bases of the user's own limits and of the firm's rules."""
    row = account_row(context, money)
    rule_set = context.rule_set
    return own_bases(row, held), firm_bases(row, rule_set, money, firm) if rule_set else {}


def _intent(context: TradingContext, proposal: Proposal, now: datetime) -> Intent:
    about = context.instrument(proposal.symbol)
    quote, market_open = latest(context, about)
    mirrored = TWO * proposal.entry - proposal.stop
    enough = context.limits.min_confidence
    return Intent(
        signal_id="",
        symbol=about.symbol,
        side=proposal.side,
        quantity=proposal.quantity or ZERO,
        entry=proposal.entry,
        target=mirrored if proposal.target is None else proposal.target,
        stop=proposal.stop,
        confidence=enough if proposal.confidence is None else proposal.confidence,
        made_at=now,
        price=as_decimal(quote.price) if quote else None,
        price_time=quote.time if quote else None,
        market_open=market_open,
        currency=about.quote,
        unit_value=about.unit_value,
    )


def _measures(context: TradingContext, money: Account, loss: Decimal) -> list[Measure]:
    """Return the firm's measures after this loss; the present value counts as a mark."""
    if context.rule_set is None:
        return []
    row = account_row(context, money)
    return measures.after_loss(
        context.rule_set, row.start_balance, curve_of(context, row, money), money.equity,
        money.balance, loss, days_done=row.days_done,
    )  # fmt: skip
