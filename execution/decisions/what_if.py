"""How an account stands with its limits, and how it would stand after a proposed trade."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from argo.errors import Unavailable
from execution.accounts.compliance import days_of
from execution.accounts.equity import account_row
from execution.accounts.portfolio import portfolio
from execution.api.queries import row_of
from execution.brokers.fill_model import as_decimal
from execution.brokers.protocol import Account
from execution.context import Desk
from execution.decisions.engine import intent_of, latest, size, why_stale
from execution.fields import ZERO
from execution.prop_firm import measures as standing
from execution.prop_firm.days import Day, NoStanding, record
from execution.prop_firm.measures import Measure
from execution.risk.headroom import Distance, after_loss, distances, loss_at_stop
from execution.risk.model import Intent, Portfolio, Side
from execution.risk.rules import Denial, denials
from signals.models import Signal

TWO = Decimal(2)


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
    before: list[Distance]
    after: list[Distance]
    firm_before: list[Measure]
    firm_after: list[Measure]
    intent: Intent | None
    denials: list[Denial]


def stand(desk: Desk, trade: str | Proposal | None = None) -> Standing:
    """How the account stands, with the trade of a stored signal, another one, or none.

    Nothing is written but what the account began with, where it is new, and nothing is locked: who
    only looks holds up no decision. Raises `NotFound`, `BrokerError`, and `Unavailable` where the
    account's figures are none.
    """
    signal = Signal.objects.get(pk=row_of(trade)) if isinstance(trade, str) else None
    money, now = desk.broker.account(), desk.clock()
    wanted = intent_of(desk, signal) if signal else None
    if isinstance(trade, Proposal):
        wanted = _intent(desk, trade, now)
    held = portfolio(desk, money, now, locked=False)
    try:
        return _stand(desk, money, held, wanted, signal, now)
    except (NoStanding, ArithmeticError) as error:
        raise Unavailable(f"The account's figures make no standing: {error}") from error


def _stand(
    desk: Desk,
    money: Account,
    held: Portfolio,
    wanted: Intent | None,
    signal: Signal | None,
    now: datetime,
) -> Standing:
    symbol = wanted.symbol if wanted else None
    before = distances(held, desk.limits, now, symbol)
    if wanted is None:
        return Standing(money, before, [], _measures(desk, money, ZERO), [], None, [])
    intent, why = (wanted, []) if wanted.quantity else size(desk, wanted, held)
    stale = why_stale(desk, signal, now) if signal else None
    return Standing(
        money,
        before,
        distances(after_loss(held, intent, now), desk.limits, now, symbol),
        _measures(desk, money, ZERO),
        _measures(desk, money, loss_at_stop(intent)),
        intent,
        [*([stale] if stale else []), *why, *denials(intent, held, desk.limits, now)],
    )


def _intent(desk: Desk, proposal: Proposal, now: datetime) -> Intent:
    quote, market_open = latest(desk, proposal.symbol)
    mirrored = TWO * proposal.entry - proposal.stop
    sure = desk.limits.min_confidence
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


def _measures(desk: Desk, money: Account, loss: Decimal) -> list[Measure]:
    """Of the firm's rules, with this very moment taken for a mark."""
    if desk.rule_set is None:
        return []
    start, days = account_row(desk, money).start_balance, _days(desk, money)
    return standing.after_loss(desk.rule_set, start, days, money.equity, money.balance, loss)


def _days(desk: Desk, money: Account) -> list[Day]:
    days = days_of(desk.account)
    today = record(days, desk.day_of(money.time), money.equity, money.balance, 0)
    return [*(day for day in days if day.day < today.day), today]
