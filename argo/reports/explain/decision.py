"""The decision on a signal: every rule that is known, with the numbers on both sides."""

import logging
from decimal import Decimal

from argo.errors import ArgoError
from argo.reports.explain.schemas import Check, DecisionStory
from execution.factory import limits, rule_set
from execution.models import Decision, Order
from execution.money import HUNDRED, as_decimal, exact_text
from execution.risk.model import Limits
from execution.risk.rules import RULES
from execution.types import Leg, Reason
from signals.models import Signal, SignalContext

logger = logging.getLogger(__name__)
EXECUTED = (
    f"All {len(RULES)} risk rules passed when it was decided. The numbers of the account are those "
    "of that moment; those of the signal are against the limits of today's settings."
)
NOT_STORED = "The version that decided did not store the numbers of the account yet."
SKIPPED = "Each reason was stored when it was decided, with its numbers."
PENDING = "It is not decided yet."
NO_LIMIT = "no limit"
MEANINGS: dict[str, str] = {reason.value: reason.meaning for reason in Reason}
"""A code of an older version may be missing."""


def decision_of(
    signal: Signal, context: SignalContext | None, orders: list[Order]
) -> DecisionStory | None:
    """Return the decision with its rules; None if the signal was never queued for one."""
    decision = Decision.objects.filter(pk=signal.pk).first()
    if decision is None:
        return None
    rules, notes = _stored(decision), [PENDING]
    if decision.status == Decision.Status.SKIPPED:
        notes = [SKIPPED]
    elif decision.status == Decision.Status.EXECUTED:
        rules, notes = _of_order(signal, context, orders)
        rules = [*rules, *_headroom(decision)]
        notes = notes if decision.headroom is not None else [*notes, NOT_STORED]
    return DecisionStory(
        status=decision.status,
        account=decision.account,
        asked_by=decision.asked_by,
        queued_at=decision.queued_at,
        decided_at=decision.decided_at,
        order_id=decision.order_id,
        rules=rules,
        earlier=decision.earlier,
        notes=notes,
    )


def _stored(decision: Decision) -> list[Check]:
    return [
        Check(
            code=reason["code"],
            value=reason["text"],
            limit=MEANINGS.get(reason["code"], ""),
            passed=False,
            basis="stored",
        )
        for reason in decision.reasons
    ]


def _headroom(decision: Decision) -> list[Check]:
    """Return the limits of the account with their numbers just before the order."""
    return [
        Check(code=each["code"], value=each["text"], limit="", passed=True, basis="stored")
        for each in decision.headroom or []
    ]


def _of_order(
    signal: Signal, context: SignalContext | None, orders: list[Order]
) -> tuple[list[Check], list[str]]:
    entry = next((order for order in orders if order.leg == Leg.ENTRY), None)
    if entry is None or entry.level is None:
        return [], [EXECUTED]
    try:
        return _rules(signal, context, entry, entry.level, limits(rule_set())), [EXECUTED]
    except (ArgoError, ValueError, ArithmeticError) as error:
        return [], [EXECUTED, f"They cannot be computed: {error}"]
    except Exception:
        logger.exception("The rules of %s cannot be computed", signal.signal_id)
        return [], [EXECUTED, "They cannot be computed; the log has the reason."]


def _rules(
    signal: Signal, context: SignalContext | None, entry: Order, price: Decimal, now: Limits
) -> list[Check]:
    """Return the rules that need nothing but the signal and the price of the decision."""
    wanted, stop = as_decimal(signal.entry_price), as_decimal(signal.stop_price)
    least = max(
        now.min_confidence,
        now.min_confidence_by_regime.get((context and context.regime) or "", 0.0),
        now.min_confidence_by_strategy.get(signal.strategy, 0.0),
    )
    value = f"{exact_text(entry.quantity)} at {exact_text(price)}: {entry.quantity * price:.2f}"
    return [
        _today("confidence", f"{signal.confidence:.6g}", f"at least {least:g}",
               signal.confidence >= least),
        _percent("distance", "from the entry to the price", abs(price - wanted) / wanted,
                 now.max_distance),
        _percent("stop", "from the entry to the stop", abs(wanted - stop) / wanted, now.max_stop),
        Check(code="order", value=value, limit="", passed=True, basis="stored"),
    ]  # fmt: skip


def _percent(code: str, what: str, share: Decimal, most: Decimal | None) -> Check:
    off = share * HUNDRED
    limit = NO_LIMIT if most is None else f"at most {most}%"
    return _today(code, f"{off:.2f}% {what}", limit, most is None or off <= most)


def _today(code: str, value: str, limit: str, passed: bool) -> Check:
    return Check(code=code, value=value, limit=limit, passed=passed, basis="today")
