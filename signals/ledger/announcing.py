"""Publishes that signals were stored, and how they ended.

Signals of the past, such as imported and replayed ones, are not announced.
"""

from collections.abc import Sequence
from typing import Any

from signals.events import EventData, EventType, publish_each
from signals.ledger.changes import Change
from signals.ledger.store import StoredSignal
from signals.models import Signal, SignalContext

PAST_ORIGINS = frozenset({"import", "adopted", "replay"})
FIELDS = (
    "signal_id", "symbol", "action", "entry_price", "target_price", "stop_price", "confidence",
    "strategy", "asset_type", "data_source", "timestamp", "sha256", "origin", "received_at",
    "regime", "reasoning", "sources", "agreement",
)  # fmt: skip
"""The fields of `signal.stored`; a field without a value is null."""


def announce_stored(stored: Sequence[StoredSignal]) -> None:
    """Publish `signal.stored` for each signal; one of SIGNAL_STORED_HANDLERS."""
    live = [signal for signal in stored if signal.origin not in PAST_ORIGINS]
    if live:
        publish_each(EventType.SIGNAL_STORED, lambda: [_signal(each.fields) for each in live])


def announce_outcome(change: Change, signal: Signal) -> None:
    """Publish `signal.outcome` if the change is one of the outcome or the exit price."""
    before, after = change.before, change.after
    names = ("outcome", "exit_price", "profit_loss_pct")
    if any(before[name] != after[name] for name in names):
        publish_each(EventType.SIGNAL_OUTCOME, lambda: _outcome(change, signal))


def _signal(fields: dict[str, Any]) -> EventData:
    return {name: fields.get(name) for name in FIELDS}


def _outcome(change: Change, signal: Signal) -> Sequence[EventData]:
    past = SignalContext.objects.filter(pk=signal.pk, origin__in=PAST_ORIGINS)
    if past.exists():
        return []
    return [
        {
            "signal_id": signal.signal_id,
            "symbol": signal.symbol,
            "action": signal.action,
            "outcome": change.after["outcome"],
            "exit_price": change.after["exit_price"],
            "profit_loss_pct": change.after["profit_loss_pct"],
            "outcome_before": change.before["outcome"],
            "who": change.who,
            "why": change.why,
            "at": change.at,
        }
    ]
