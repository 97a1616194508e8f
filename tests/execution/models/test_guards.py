"""Plain SQL refuses what the models refuse; the databases refuse values that Argo never writes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from execution.accounts import changes
from execution.models import (
    AccountChange,
    CorporateAction,
    Counterfactual,
    Decision,
    Fill,
    Order,
    PaperOrder,
    Position,
)
from execution.models.order import MUTABLE_FIELDS
from execution.types import Leg, OrderState, Side
from signals import acts
from signals.ledger.outcomes import OUTCOMES
from signals.market.actions import ActionKind
from signals.models import (
    Act,
    Alert,
    CandidateRecord,
    DeadLetter,
    OutcomeChange,
    RecordEntry,
    RecordName,
    Sender,
    Signal,
    SignalSum,
    Trial,
)
from signals.rows import Immutable, insert, update, update_each
from sync.models import Delivery, EventDelivery, Notice, RecordSubmission, Subscription
from sync.webhooks import subscriptions
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading, orders_of

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]

FIXED: list[tuple[type[models.Model], str]] = [
    *((Order, name) for name in ("quantity", "side", "leg", "level", "signal", "client_order_id")),
    *((Fill, name) for name in ("quantity", "price", "fee", "time", "refused")),
    *((Signal, name) for name in ("symbol", "entry_price", "confidence", "timestamp", "sha256")),
    *((OutcomeChange, name) for name in ("who", "why", "before", "after")),
    *((AccountChange, name) for name in ("kind", "amount", "moved", "why", "before", "after")),
]


@pytest.mark.parametrize(("model", "name"), FIXED)
def test_a_field_that_never_changes_is_refused(
    trading: Trading, model: type[models.Model], name: str
) -> None:
    trading.trade()
    changes.restart_count(trading.context, by="ann", why="a test")
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    value = getattr(row, name)
    with pytest.raises(Immutable, match=name):
        update(model, row.pk, {name: value})
    with pytest.raises(Immutable, match=name):
        update_each(model, {row.pk: {name: value}})


def test_what_describes_the_state_of_an_order_may_change(trading: Trading) -> None:
    entry = orders_of(trading.trade())["entry"]
    assert update(Order, entry.pk, {name: getattr(entry, name) for name in MUTABLE_FIELDS})


def test_a_signal_is_inserted_by_the_flush_only(trading: Trading) -> None:
    signal = trading.log()
    copy = Signal(**{f.attname: getattr(signal, f.attname) for f in Signal._meta.concrete_fields})
    copy.pk, copy.signal_id = None, "another"
    with pytest.raises(Immutable, match="SignalTracker"):
        insert(copy)
    assert Signal.objects.count() == 1


@pytest.mark.parametrize("model", [Order, Fill, OutcomeChange])
def test_a_stored_row_is_not_inserted_again(trading: Trading, model: type[models.Model]) -> None:
    trading.trade()
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    with pytest.raises(Immutable, match="stored already"):
        insert(row)


KNOWN: list[tuple[type[models.Model], str, list[str]]] = [
    (Delivery, "status", Delivery.Status.values),
    (Decision, "status", Decision.Status.values),
    (Order, "state", list(OrderState)),
    (Order, "leg", list(Leg)),
    (Order, "side", list(Side)),
    (PaperOrder, "state", list(OrderState)),
    (PaperOrder, "leg", list(Leg)),
    (PaperOrder, "side", list(Side)),
    (Position, "status", Position.Status.values),
    (Position, "side", list(Side)),
    (Counterfactual, "outcome", list(OUTCOMES)),
    (Notice, "status", Notice.Status.values),
    (EventDelivery, "status", EventDelivery.Status.values),
    (Subscription, "state", Subscription.State.values),
    (RecordSubmission, "status", RecordSubmission.Status.values),
    (RecordSubmission, "kind", RecordSubmission.Kind.values),
    (DeadLetter, "kind", DeadLetter.Kind.values),
    (CandidateRecord, "action", list(Side)),
    (AccountChange, "kind", AccountChange.Kind.values),
    (CorporateAction, "kind", list(ActionKind)),
    (Trial, "kind", Trial.Kind.values),
    (Act, "kind", list(acts.Kind)),
    (Alert, "status", Alert.Status.values),
    (Alert, "side", ["", *Side]),
    (RecordEntry, "kind", RecordEntry.Kind.values),
    (RecordName, "kind", RecordName.Kind.values),
]


@pytest.mark.parametrize(("model", "column", "values"), KNOWN)
def test_a_column_takes_its_values_and_no_other(
    a_row: Callable[[type[models.Model]], int],
    model: type[models.Model],
    column: str,
    values: list[str],
) -> None:
    """Use SQL, so that only the database can refuse it."""
    pk = a_row(model)
    for value in values:
        assert _set(model, pk, column, str(value)) == 1
    for wrong in {"", values[0].swapcase(), "nonsense"} - set(values):
        with pytest.raises(IntegrityError, match="known_values"), transaction.atomic():
            _set(model, pk, column, wrong)


def test_every_column_of_that_kind_is_constrained() -> None:
    """A new status, state, leg, side or outcome column needs a constraint, and a line above."""
    named = {"status", "state", "leg", "side", "outcome", "action", "kind"}
    tables = (
        model
        for model in _own_models()
        for name in (field.name for field in model._meta.concrete_fields)
        if name in named
    )
    found = {
        (model, field.name)
        for model in set(tables)
        for field in model._meta.concrete_fields
        if field.name in named and not field.is_relation
    }
    assert found == {(model, column) for model, column, _ in KNOWN}


def _subscription(trading: Trading) -> Subscription:
    return subscriptions.create("s", "https://receiver.example/", ["all"], now=trading.clock())


def _own_models() -> list[type[models.Model]]:
    own = [
        m for app in ("signals", "sync", "execution") for m in apps.get_app_config(app).get_models()
    ]
    # The seed's table stays as it is, and its sums count whatever outcome is there.
    return [model for model in own if model not in (Signal, SignalSum)]


def _set(model: type[models.Model], pk: int, column: str, value: str) -> int:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        # a leg and its number are unique for a signal
        number = ", number = number + 1" if (table, column) == ("orders", "leg") else ""
        cursor.execute(f"UPDATE {table} SET {column} = %s{number} WHERE id = %s", [value, pk])
        return int(cursor.rowcount)


@pytest.fixture
def a_row(trading: Trading) -> Callable[[type[models.Model]], int]:
    """Make one row of the model; return its primary key."""

    def make(model: type[models.Model]) -> int:
        trading.trade()
        made: dict[type[models.Model], Callable[[], Any]] = {
            Counterfactual: lambda: _skipped(trading),
            Delivery: lambda: Delivery.objects.create(
                signal=Signal.objects.get(), due_at=trading.clock(), queued_at=trading.clock()
            ),
            Notice: lambda: Notice.objects.create(
                target="t", title="", body="", due_at=trading.clock(), queued_at=trading.clock()
            ),
            Subscription: lambda: _subscription(trading),
            EventDelivery: lambda: EventDelivery.objects.create(
                subscription=_subscription(trading), event_id="e", type="halt.set", body="{}",
                due_at=trading.clock(), queued_at=trading.clock(),
            ),
            DeadLetter: lambda: DeadLetter.objects.create(
                kind="line", journal_id=OutcomeChange.objects.all()[0].journal_id, segment=1,
                byte=0, reason="", payload=b"", digest="", created_at=trading.clock(),
            ),
            CandidateRecord: lambda: CandidateRecord.objects.create(
                candidate_id="c", symbol="A", asset_type="stock", strategy="s", action="BUY",
                bar_time="", made_at="", entry_price=1, target_price=2, stop_price=0.5,
                confidence=80, agreement=1, regime="BULL", reasoning="", votes=[],
                rejected_for="", reasons=[], kept_at=trading.clock(),
            ),
            Alert: lambda: Alert.objects.create(
                alert_id="a", status="unread", received_at=trading.clock(), body="",
                sender=Sender.objects.create(name="s", token_sha256="t", preset="plain",
                                             created_at=trading.clock()),
            ),
            RecordSubmission: lambda: RecordSubmission.objects.create(
                kind="witness", target="w", size=1, due_at=trading.clock(),
                queued_at=trading.clock(),
            ),
            RecordEntry: lambda: RecordEntry.objects.create(pk=1, kind="key", at=0, leaf=b""),
            RecordName: lambda: RecordName.objects.create(kind="account", note="", entry=0),
            Act: lambda: acts.record(acts.Kind.OTHER, "a test", who="ann", at=trading.clock()),
            Trial: lambda: Trial.objects.create(
                kind="replay", parameters={}, parameters_sha256="p", data_sha256="d",
                symbols=[], first_bar=trading.clock(), last_bar=trading.clock(), version="0",
                tried_at=trading.clock(), trades=0,
            ),
            AccountChange: lambda: changes.restart_count(trading.context, by="ann", why="a test"),
            CorporateAction: lambda: trading.context.history.memory.store(
                "AAPL", ActionKind.NONE, trading.clock(), trading.clock(), source="person", why="so"
            ),
        }  # fmt: skip
        made.get(model, lambda: None)()
        row = model._default_manager.order_by("pk").first()
        assert row is not None
        return int(row.pk)

    return make


def _skipped(trading: Trading) -> None:
    trading.log(confidence=10.0)
    trading.decide()
