"""The limits of an account as the API returns them."""

from collections.abc import Mapping, Sequence
from typing import Any

from execution.accounts import halts
from execution.accounts.bases import Base
from execution.api.schemas import LimitsQuery
from execution.context import TradingContext
from execution.decisions.what_if import Outlook, Proposal, outlook
from execution.prop_firm.measures import Measure
from execution.risk.headroom import Headroom, loss_at_stop
from execution.risk.model import Intent
from execution.types import Side


def limits_view(context: TradingContext, query: LimitsQuery) -> dict[str, Any]:
    """Return the fields of `LimitsOut`. Raises what `outlook` raises."""
    found = outlook(context, query.signal_id or _proposal(query))
    has_trade = found.intent is not None
    return {
        "account": context.account,
        "at": found.money.time,
        "equity": found.money.equity,
        "before": _with_bases(found.before, found.bases),
        "after": _with_bases(found.after, found.bases) if has_trade else None,
        "prop_firm": _firm(context, found, has_trade),
        "trade": _trade(found.intent) if found.intent else None,
        "denials": [each._asdict() for each in found.denials] if has_trade else None,
        "halts": halts.active(context.account),
    }


def _proposal(query: LimitsQuery) -> Proposal | None:
    if not (query.symbol and query.side and query.entry and query.stop):
        return None
    return Proposal(
        query.symbol, Side(query.side), query.entry, query.stop, query.quantity, query.target,
        query.confidence,
    )  # fmt: skip


def _firm(context: TradingContext, found: Outlook, has_trade: bool) -> dict[str, Any] | None:
    if context.rule_set is None:
        return None
    return {
        "name": context.rule_set.name,
        "before": _with_bases(found.firm_before, found.firm_bases),
        "after": _with_bases(found.firm_after, found.firm_bases) if has_trade else None,
    }


def _with_bases(
    limits: Sequence[Headroom | Measure], bases: Mapping[str, Base]
) -> list[dict[str, Any]]:
    """Return the fields of each limit, with the base that it is counted from."""
    return [
        each._asdict() | {"base": base._asdict() if (base := bases.get(each.code)) else None}
        for each in limits
    ]


def _trade(intent: Intent) -> dict[str, Any]:
    names = ("symbol", "side", "quantity", "entry", "stop", "price")
    return {name: getattr(intent, name) for name in names} | {"loss": loss_at_stop(intent)}
