"""Everything that happened to one signal, read from the existing rows.

The times are those of the clock that made each row; in a replay that is the clock of the bars.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model
from ninja import Schema

from execution.models import Counterfactual, Decision, Fill, Order, Position
from execution.money import exact_text
from execution.types import OrderState
from signals.api.json_value import JsonObject
from signals.ledger.outcome_history import decisions
from signals.ledger.queries import signal_of
from signals.ledger.records import CALIBRATED
from signals.models import OutcomeChange, Signal, SignalContext
from signals.record.log.standing import standing_of
from signals.timestamps import parse_utc
from sync.models import Delivery


class Event(Schema):
    """One event: its time (null if the stored text is not a valid time), its name, its details."""

    at: datetime | None
    what: str
    detail: JsonObject


def lifecycle(signal_id: str) -> list[Event]:
    """Return all events of the signal, in order of time.

    Raises `NotFound` if there is no such signal.
    """
    signal = signal_of(signal_id)
    events = [event for events_of in STAGES for event in events_of(signal)]
    first = min(
        (event.at for event in events if event.at), default=datetime.min.replace(tzinfo=UTC)
    )
    return sorted(events, key=lambda event: event.at or first)


def _generated(signal: Signal) -> Iterator[Event]:
    context = _context(signal)
    detail: dict[str, Any] = {
        "strategy": signal.strategy,
        "data_source": signal.data_source,
        "confidence": signal.confidence,
    }
    if context:
        names = ("origin", "regime", "sources", "agreement", "reasoning", *CALIBRATED)
        detail |= {name: getattr(context, name) for name in names}
    yield _event(signal.timestamp, "generated", detail)


def _stored(signal: Signal) -> Iterator[Event]:
    """Give the time at which the journal had it; adopted signals have no line in the journal."""
    context = _context(signal)
    received = context.received_at if context else f"{signal.created_at}Z"
    detail: dict[str, Any] = {"sha256": signal.sha256, "created_at": signal.created_at}
    if context:
        detail |= {"journal_segment": context.segment, "journal_byte": context.byte}
    yield _event(received, "stored", detail)


def _context(signal: Signal) -> SignalContext | None:
    return SignalContext.objects.filter(pk=signal.pk).first()


def _recorded(signal: Signal) -> Iterator[Event]:
    """Give its entry in the public record, and who signed a checkpoint that holds it."""
    standing = standing_of(signal.pk)
    if standing is None:
        return
    detail = {"entry": standing.entry, "kind": standing.kind, "after_mark": standing.mark}
    yield _event(standing.at, "recorded", detail)
    if standing.signed is not None:
        signed = standing.signed
        yield _event(signed.signed_at, "record_signed", {"size": signed.size})
    for each in standing.cosigned:
        yield _event(each.at, "record_witnessed", {"witness": each.witness, "size": each.size})


def _synced(signal: Signal) -> Iterator[Event]:
    delivery = Delivery.objects.filter(pk=signal.pk).first()
    if delivery is None:
        return
    yield _event(delivery.queued_at, "sync_queued", {})
    if delivery.attempted_at is None:
        return
    detail = {"attempts": delivery.attempts, "last_status": delivery.last_status}
    if delivery.delivered_at:
        yield _event(delivery.delivered_at, "synced", detail)
        return
    what = "sync_dead" if delivery.status == Delivery.Status.DEAD else "sync_attempted"
    yield _event(delivery.attempted_at, what, detail | {"why": delivery.last_answer})


def _decided(signal: Signal) -> Iterator[Event]:
    decision = Decision.objects.filter(pk=signal.pk).first()
    if decision is None:
        return
    for past in decision.earlier:
        asked = {"account": past["account"], "asked_by": past["asked_by"]}
        yield _event(past["queued_at"], "decision_queued", asked)
        yield _event(past["decided_at"], "skipped", {"reasons": past["reasons"]})
    asked = {"account": decision.account, "asked_by": decision.asked_by}
    yield _event(decision.queued_at, "decision_queued", asked)
    if decision.status == Decision.Status.EXECUTED:
        yield _event(decision.decided_at, "executed", {"order_id": decision.order_id})
    elif decision.status == Decision.Status.SKIPPED:
        yield _event(decision.decided_at, "skipped", {"reasons": decision.reasons})


def _ordered(signal: Signal) -> Iterator[Event]:
    for order in Order.objects.filter(signal=signal).order_by("pk"):
        name = {"leg": order.leg, "client_order_id": order.client_order_id}
        made = _figures(order, "side", "quantity", "level")
        yield _event(order.created_at, "order_made", name | made)
        if order.submitted_at:
            yield _event(order.submitted_at, "order_submitted", name)


def _settled(signal: Signal) -> Iterator[Event]:
    """Give the current state of each order, and when it was reached."""
    for order in Order.objects.filter(signal=signal).order_by("pk"):
        if order.state not in (OrderState.INITIALIZED, OrderState.SUBMITTED):
            names = ("leg", "client_order_id", "filled", "average_price", "reason")
            yield _event(order.updated_at, f"order_{order.state}", _figures(order, *names))


def _filled(signal: Signal) -> Iterator[Event]:
    fills = Fill.objects.filter(order__signal=signal).select_related("order")
    for fill in fills.order_by("time", "pk"):
        detail = {"leg": fill.order.leg} | _figures(fill, "fill_id", "quantity", "price", "fee")
        if fill.refused:
            yield _event(fill.time, "fill_refused", detail | {"why": fill.refused})
        else:
            yield _event(fill.time, "filled", detail)


def _held(signal: Signal) -> Iterator[Event]:
    position = Position.objects.filter(pk=signal.pk).first()
    if position is None:
        return
    opened = _figures(position, "side", "quantity", "entry_price", "stop", "target")
    yield _event(position.opened_at, "position_opened", opened)
    if position.closed_at:
        names = ("exit_reason", "exit_price", "profit", "fees", "mae", "mfe")
        yield _event(position.closed_at, "position_closed", _figures(position, *names))


def _changed(signal: Signal) -> Iterator[Event]:
    """Give the first outcome and that of a position; other changes, and order ids, are edits."""
    changes = list(OutcomeChange.objects.filter(signal=signal).order_by("pk"))
    decided = decisions(changes)
    for change in changes:
        moved = [name for name in change.after if change.after[name] != change.before.get(name)]
        detail = {
            "who": change.who,
            "why": change.why,
            "before": {name: change.before.get(name) for name in moved},
            "after": {name: change.after[name] for name in moved},
        }
        yield _event(change.at, "outcome" if change in decided else "edited", detail)


def _imagined(signal: Signal) -> Iterator[Event]:
    """Give the outcome that a signal without a trade would have had."""
    row = Counterfactual.objects.filter(pk=signal.pk).first()
    if row is None:
        return
    yield _event(row.entered_at, "counterfactual_begun", {"expires_at": row.expires_at})
    if row.outcome:
        names = ("outcome", "exit_price", "exit_reason", "profit_loss_pct")
        yield _event(row.ended_at, "counterfactual_ended", _figures(row, *names))


STAGES: tuple[Callable[[Signal], Iterable[Event]], ...] = (
    _generated, _stored, _recorded, _synced, _decided, _ordered, _filled, _settled, _held, _changed,
    _imagined,
)  # fmt: skip
"""The order of events that have the same time."""


def _figures(row: Model, *names: str) -> dict[str, Any]:
    """Return these columns, with money and quantities as exact texts."""
    values = {name: getattr(row, name) for name in names}
    return {
        name: exact_text(value) if isinstance(value, Decimal) else value
        for name, value in values.items()
    }


def _event(at: datetime | str | None, what: str, detail: dict[str, Any]) -> Event:
    return Event(at=_moment(at), what=what, detail=detail)


def _moment(at: datetime | str | None) -> datetime | None:
    """Return the time; None if the text of an imported signal is not a valid time."""
    try:
        return parse_utc(at)
    except ValueError:
        return None
