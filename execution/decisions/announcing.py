"""Publishes decisions: executed, or skipped with the reasons. A replay's are not announced."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from execution.models import Decision
from execution.types import REPLAY, Denial
from signals.events import EventType, publish_each
from signals.timestamps import utc_text


def announce_executed(decision: Decision, order_id: str, now: datetime) -> None:
    """Publish `decision.executed`."""
    if decision.account != REPLAY:
        publish_each(
            EventType.DECISION_EXECUTED, lambda: [_about(decision, now) | {"order_id": order_id}]
        )


def announce_skipped(skipped: Iterable[tuple[Decision, Sequence[Denial]]], now: datetime) -> None:
    """Publish `decision.skipped` for each of these, with all its reasons."""
    told = [(decision, why) for decision, why in skipped if decision.account != REPLAY]
    if told:
        publish_each(
            EventType.DECISION_SKIPPED,
            lambda: [
                _about(decision, now) | {"reasons": [each._asdict() for each in why]}
                for decision, why in told
            ],
        )


def _about(decision: Decision, now: datetime) -> dict[str, object]:
    signal = decision.signal
    return {
        "signal_id": signal.signal_id,
        "symbol": signal.symbol,
        "action": signal.action,
        "account": decision.account,
        "asked_by": decision.asked_by,
        "decided_at": utc_text(now),
    }
