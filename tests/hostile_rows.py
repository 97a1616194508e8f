"""Hostile text in every field that somebody else may write, in two ways.

`make_rows` stores a row of each model past all checks, for pages that are made in this process.
`write` stores what could really come, for an Argo that runs.
"""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection, models
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from execution.fields import ExactDecimal
from execution.models import AccountChange, Decision, Halt, TradingAccount
from execution.types import HaltCode
from signals.alerts.senders import create_sender
from signals.config import flusher, journal
from signals.keys import create_key
from signals.ledger.outcomes import record_outcome
from signals.models import Alert, CandidateRecord, DeadLetter, JournalCursor, Node, Signal
from signals.tracker import SignalTracker
from sync.models import Delivery, EventDelivery, Notice
from sync.webhooks.subscriptions import create, revoke
from tests.hostile import LONG, PLAIN_TEXT, SYMBOL, text

OWN = ("signals", "sync", "execution")
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
KINDS: tuple[tuple[type[models.Field[Any, Any]], Any], ...] = (
    (models.DateTimeField, lambda text, at: at),
    (models.DateField, lambda text, at: at.date()),
    (models.BooleanField, lambda text, at: True),
    (ExactDecimal, lambda text, at: Decimal(7)),
    (models.FloatField, lambda text, at: 7.0),
    (models.IntegerField, lambda text, at: 7),
    (models.BinaryField, lambda text, at: text.encode()),
    (models.JSONField, lambda text, at: {text: [text]}),
    (models.CharField, lambda text, at: text),
    (models.TextField, lambda text, at: text),
)
"""What a field of each kind gets; the first that fits."""


REASONS = [{"code": PLAIN_TEXT, "text": PLAIN_TEXT}]
FORMED = {
    "day": "2026-01-05",
    "timestamp": "2026-01-05T12:00:00Z",
    "kind": "split",
    "reasons": REASONS,
    "faults": [{"field": PLAIN_TEXT, "message": PLAIN_TEXT}],
    "earlier": [{"decided_at": "2026-01-05T12:00:00Z", "asked_by": PLAIN_TEXT, "reasons": REASONS}],
    "votes": [{"source": PLAIN_TEXT, "direction": PLAIN_TEXT, "figures": {PLAIN_TEXT: PLAIN_TEXT}}],
}
"""What Argo itself chose or wrote and its pages rely on, by the name of the field."""


def make_rows() -> list[models.Model]:
    """Return a row of each model of Argo's pages, stored without the checks of the database, as if
    somebody had got past all of Argo's own."""
    made: dict[type[models.Model], models.Model] = {}
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        for model in own_models():
            _make(model, made)
        cursor.execute("PRAGMA ignore_check_constraints = OFF")
    return [made[model] for model in own_models()]


def own_models() -> list[type[models.Model]]:
    """Return the models of Argo's own pages."""
    return [model for model in admin.site._registry if model._meta.app_label in OWN]


def _make(model: type[models.Model], made: dict[type[models.Model], models.Model]) -> models.Model:
    if model not in made:
        row = model()
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey):
                found = made.get(field.related_model) if field.null else None
                needed = found if field.null else _make(field.related_model, made)
                setattr(row, field.name, needed)
            elif not isinstance(field, models.AutoField):
                setattr(row, field.attname, _value(field, PLAIN_TEXT, AT))
        row.save_base(force_insert=True)  # a model may forbid `save`
        made[model] = row
    return made[model]


def _value(field: models.Field[Any, Any], text: str, at: datetime) -> Any:  # noqa: ANN401  # any
    if field.choices:
        return field.flatchoices[0][0]
    if field.name in FORMED:
        return FORMED[field.name]
    return next((make(text, at) for kind, make in KINDS if isinstance(field, kind)), None)


def _needed(model: type[models.Model], at: datetime, **given: Any) -> None:  # noqa: ANN401
    """Store a row with these values, and one of its kind in each other field without a default."""
    fields = [field for field in model._meta.concrete_fields if field.attname not in given]
    for field in fields:
        is_needed = not (field.null or field.has_default() or field.has_db_default())
        if is_needed and field.name not in given and not isinstance(field, models.AutoField):
            given[field.attname] = _value(field, PLAIN_TEXT, at)
    model._default_manager.create(**given)


def write(now: datetime) -> str:
    """Store hostile text in every field that takes it; return the id of a signal that has it."""
    signal = _signal(now)
    _judged(signal, now)
    _dead_letter(now)
    _account(now)
    _ways_in_and_out(now)
    _system(now)
    return signal.signal_id


def _signal(now: datetime) -> Signal:
    logged = SignalTracker("api", wakes_worker=False).log_signal(
        {
            "symbol": SYMBOL, "action": "BUY", "entry_price": 100.0, "target_price": 110.0,
            "stop_price": 95.0, "confidence": 80.0, "timestamp": now.isoformat(),
            "strategy": text("strategy"), "asset_type": text("asset type"),
            "data_source": text("data source"), "regime": text("regime"),
            "reasoning": text("reasoning", LONG), "note": text("extra", LONG),
            "votes": [
                {"source": text("source", LONG), "direction": text("vote"),
                 "confidence": 50.0, "weight": 1, "figures": {text("source"): "}}"}}
            ],
        }
    )  # fmt: skip
    return Signal.objects.get(signal_id=logged)


def _judged(signal: Signal, now: datetime) -> None:
    record_outcome(
        signal.signal_id, outcome="loss", exit_price=95.0, who="admin", now=now,
        why=text("outcome why", LONG), journal=journal(),
    )  # fmt: skip
    reasons = [{"code": "held", "text": text("decision")}]
    Decision.objects.update_or_create(
        signal=signal,
        defaults={
            "account": "paper", "status": "skipped", "queued_at": now, "due_at": now,
            "decided_at": now, "skipped_for": "held", "reasons": reasons,
            "asked_by": text("account"),
        },
    )  # fmt: skip
    Delivery.objects.filter(signal=signal).update(
        status="dead", attempts=1, attempted_at=now, last_status=400,
        last_answer=text("answer", LONG), payload=text("answer", LONG),
    )  # fmt: skip


def _dead_letter(now: datetime) -> None:
    payload = orjson.dumps({"text": text("letter", LONG)})
    _needed(
        DeadLetter, now, kind=DeadLetter.Kind.LINE, journal=JournalCursor.objects.all()[0],
        signal_id=text("letter id"), reason=text("letter reason", LONG), payload=payload,
        digest=hashlib.sha256(payload).hexdigest(),
    )  # fmt: skip


def _account(now: datetime) -> None:
    name = text("account")
    _needed(TradingAccount, now, name=name)
    _needed(
        AccountChange, now, account=name, kind="transfer", by=name, why=text("change why", LONG)
    )
    _needed(
        Halt, now, account=name, code=HaltCode.BY_HAND, reason=text("halt", LONG),
        latched_by=name, lifted_at=now, lifted_by=text("lifted by"),
        lifted_why=text("lifted why", LONG),
    )  # fmt: skip


def _ways_in_and_out(now: datetime) -> None:
    sender, _ = create_sender("hostile sender", "plain", who="a test")
    fault = {"field": "body", "message": text("fault")}
    _needed(
        Alert, now, alert_id="hostile", sender=sender, status="unread", symbol="", side="",
        signal_id="", result="", faults=[fault], body=text("alert", LONG),
    )  # fmt: skip
    ended = create("hostile", "https://receiver.invalid/", ["halt.set"], now=now)
    revoke(ended, "", now=now)
    _needed(
        EventDelivery, now, subscription=ended, type="halt.set", status="dead", body="{}",
        last_answer=text("event answer", LONG),
    )  # fmt: skip
    _needed(Notice, now, status="delivered", delivered_at=now, title=text("notice"))


def _system(now: datetime) -> None:
    create_key(text("key"), ["read"])
    _needed(
        Node, now, identity="hostile", host=text("host"), retired_at=now, is_drained=True,
        retired_why=text("retired", LONG),
    )  # fmt: skip
    reasons = [{"code": "confidence", "text": text("candidate why")}]
    _needed(
        CandidateRecord, now, symbol=SYMBOL, action="BUY", strategy=text("candidate"),
        bar_time=now.isoformat(), made_at=now.isoformat(), reasoning=text("candidate", LONG),
        rejected_for="confidence", reasons=reasons,
    )  # fmt: skip
    every = IntervalSchedule.objects.create(every=9, period="days")
    PeriodicTask.objects.create(name=text("schedule"), task="none", interval=every, enabled=False)
    Group.objects.create(name=text("group"))
    User.objects.create(username="hostile", first_name=text("first name"))
    flusher().flush()
