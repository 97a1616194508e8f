"""Puts a signal's story together from the existing rows, the journal and the market."""

import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model

from argo.errors import ArgoError
from argo.lifecycle import lifecycle
from argo.reports.explain.decision import decision_of
from argo.reports.explain.gates import Maker, gates_of
from argo.reports.explain.prices import Ended, Market, prices_of
from argo.reports.explain.row_schemas import InstrumentStory
from argo.reports.explain.schemas import DecisionStory, Made, OutcomeStory, Prices, Stored, Story
from execution.models import Counterfactual, Decision, Fill, Order, Position
from execution.money import exact_text
from signals.config import journal
from signals.instruments import instrument
from signals.ledger.latency import PAST
from signals.ledger.outcome_history import RecordedOutcome, recorded
from signals.ledger.queries import signal_of
from signals.ledger.records import CALIBRATED
from signals.market.bars import Bars
from signals.market.instruments import Instrument
from signals.models import OutcomeChange, Signal, SignalContext
from signals.timestamps import moment_of, parse_utc
from signals.verification import verify_one
from sync.models import Delivery

MOST_SECONDS = 5.0
"""All that a story waits for market data."""
MILLISECOND = timedelta(milliseconds=1)
NO_TIME = "the time of the signal is not valid, so its bars are not known"
NO_OFFSET = "The signal's time has no offset; it is taken for UTC."
ORDER = (
    "leg", "number", "side", "symbol", "quantity", "level", "state", "filled", "average_price",
    "reason", "client_order_id", "broker_id", "created_at", "submitted_at", "updated_at",
)  # fmt: skip
FILL = ("fill_id", "quantity", "price", "fee", "time", "refused")
POSITION = (
    "account", "status", "side", "symbol", "quantity", "closed_quantity", "entry_price",
    "exit_price", "stop", "target", "opened_at", "expires_at", "closed_at", "exit_reason", "fees",
    "profit", "mae", "mfe",
)  # fmt: skip
DELIVERY = (
    "status", "attempts", "queued_at", "attempted_at", "delivered_at", "due_at", "last_status",
    "last_answer",
)  # fmt: skip
COUNTERFACTUAL = (
    "entered_at", "expires_at", "outcome", "exit_price", "exit_reason", "profit_loss_pct",
    "ended_at",
)  # fmt: skip
SIGNAL = tuple(field.attname for field in Signal._meta.concrete_fields if field.name != "id")
Fields = dict[str, Any]


def explain(signal_id: str) -> Story:
    """Return the signal's story. Raises `NotFound` if there is no such signal.

    A part that cannot be known says why; the others are told all the same.
    """
    signal = signal_of(signal_id)
    context = SignalContext.objects.filter(pk=signal.pk).select_related("journal").first()
    changes = list(OutcomeChange.objects.filter(signal=signal).order_by("pk"))
    orders = Order.objects.of_signal(signal.pk)
    position = Position.objects.of_signal(signal.pk)
    counterfactual = Counterfactual.objects.filter(pk=signal.pk).first()
    decision, ended = decision_of(signal, context, orders), recorded(signal, changes)

    about, source = _instrument(signal), Market.of_settings(MOST_SECONDS)
    made_at, symbol = moment_of(signal.timestamp), about.symbol if about else signal.symbol
    seen, problem = source.bars(symbol, made_at) if made_at else (None, NO_TIME)
    prices = Prices(problem=problem)
    if made_at and seen is not None:
        end = _end_of(signal, position, counterfactual, changes)
        # A trade may begin some days after its signal, and so end later than its own expiry.
        most = timedelta(days=2 * settings.POSITION_MAX_DAYS)
        prices = prices_of(signal, source, seen, made_at, end, most)
    return Story(
        signal_id=signal.signal_id,
        headline=_headline(signal, context, decision, ended),
        signal=_fields(signal, SIGNAL),
        instrument=_instrument_fields(about),
        made=_made(Maker(signal, context, made_at, about, source.market), seen),
        prices=prices,
        stored=_stored(signal, context),
        sync=_optional(Delivery.objects.filter(pk=signal.pk).first(), DELIVERY),
        decision=decision,
        orders=[_fields(order, ORDER) for order in orders],
        fills=[{"leg": fill.order.leg} | _fields(fill, FILL) for fill in _fills(signal)],
        position=_optional(position, POSITION),
        outcome=OutcomeStory(
            outcome=ended.outcome,
            exit_price=_plain(ended.exit_price),
            profit_loss_pct=_plain(ended.profit_loss_pct),
            decided_by_position=ended.decided_by_position,
            edited=ended.edited,
        ),
        changes=[_fields(each, ("at", "who", "why", "before", "after")) for each in changes],
        counterfactual=_optional(counterfactual, COUNTERFACTUAL),
        divergence=None if position is None else _divergence(signal, about, made_at),
        timeline=lifecycle(signal_id),
    )


def _headline(
    signal: Signal,
    context: SignalContext | None,
    decision: DecisionStory | None,
    ended: RecordedOutcome,
) -> str:
    """Return the story in one sentence."""
    origin = f" ({context.origin})" if context else ""
    told = f"{signal.action} {signal.symbol}, made {signal.timestamp}{origin}"
    decided = "no decision was asked for" if decision is None else f"decision: {decision.status}"
    if decision and decision.status == Decision.Status.SKIPPED:
        decided = f"skipped for {' '.join(rule.code for rule in decision.rules)}"
    outcome = ended.outcome or "no outcome yet"
    if ended.profit_loss_pct is not None:
        outcome += f" of {_percent(ended.profit_loss_pct)}"
    return f"{told}; {decided}; {outcome}."


def _percent(value: object) -> str:
    return f"{value:+.2f}%" if isinstance(value, int | float) else f"{value!r} percent"


def _divergence(signal: Signal, about: Instrument | None, made_at: datetime | None) -> Fields:
    from argo.reports.divergence.story import divergence_story  # it loads pandas and scipy

    return divergence_story(signal, about, made_at, MOST_SECONDS)


def _instrument(signal: Signal) -> Instrument | None:
    """Return the instrument; None if the operator's file of instruments is invalid."""
    try:
        return instrument(signal.symbol, signal.asset_type)
    except (ArgoError, ValueError):
        return None


def _instrument_fields(about: Instrument | None) -> InstrumentStory | None:
    if about is None:
        return None
    return {
        "symbol": about.symbol, "kind": about.kind, "base": about.base, "quote": about.quote,
        "hours": about.hours, "why": list(about.why),
    }  # fmt: skip


def _made(maker: Maker, seen: Bars | None) -> Made:
    gates, notes = gates_of(maker, seen)
    context = maker.context
    if maker.made_at is not None and not _has_offset(maker.signal.timestamp):
        notes = [NO_OFFSET, *notes]
    names = (
        "origin", "regime", "sources", "agreement", "reasoning", "votes", "symbol_as_sent", "extra",
        *CALIBRATED,
    )  # fmt: skip
    return Made(
        **{name: getattr(context, name, None) for name in names},
        made_at=maker.made_at,
        gates=gates,
        notes=notes,
    )


def _has_offset(timestamp: str) -> bool:
    try:
        parse_utc(timestamp)
    except ValueError:
        return False
    return True


def _stored(signal: Signal, context: SignalContext | None) -> Stored:
    valid, findings = _verified(signal)
    return Stored(
        received_at=context.received_at if context else None,
        stored_at=context.stored_at if context else None,
        latency_ms=_latency(context) if context else None,
        journal=context.journal.journal if context else None,
        segment=context.segment if context else None,
        byte=context.byte if context else None,
        sha256=signal.sha256,
        valid=valid,
        findings=findings,
    )


def _latency(context: SignalContext) -> float | None:
    """Return the milliseconds from receipt to row; None if they are of different clocks."""
    received_at, stored_at = moment_of(context.received_at), moment_of(context.stored_at)
    if context.origin in PAST or received_at is None or stored_at is None:
        return None
    return max(0.0, (stored_at - received_at) / MILLISECOND)


def _verified(signal: Signal) -> tuple[bool | None, list[str]]:
    try:
        findings = [finding.detail for finding in verify_one(journal(), signal.signal_id)]
    except (ArgoError, OSError) as error:
        return None, [f"It could not be verified: {error}"]
    return not findings, findings


def _fills(signal: Signal) -> list[Fill]:
    fills = Fill.objects.filter(order__signal=signal).select_related("order")
    return list(fills.order_by("time", "pk"))


def _end_of(
    signal: Signal,
    position: Position | None,
    counterfactual: Counterfactual | None,
    changes: list[OutcomeChange],
) -> Ended:
    """Return when and where the trade, or the one that was not made, ended."""
    if position is not None:
        price = position.exit_price
        return Ended(position.closed_at, None if price is None else float(price))
    if counterfactual is not None and counterfactual.ended_at:
        return Ended(counterfactual.ended_at, counterfactual.exit_price)
    first = next((change for change in changes if change.after.get("outcome")), None)
    return Ended(moment_of(first.at), signal.exit_price) if first else Ended()


def _optional(row: Model | None, names: tuple[str, ...]) -> Any:  # noqa: ANN401  # as _fields
    return None if row is None else _fields(row, names)


def _fields(row: Model, names: tuple[str, ...]) -> Any:  # noqa: ANN401  # one of row_schemas
    """Return a dictionary of these columns, with money and quantities as exact texts."""
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:  # noqa: ANN401  # of any column
    if isinstance(value, Decimal):
        return exact_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has none
    return value
