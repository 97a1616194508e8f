"""Rows written by plain statements are those that Django's own would be."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.forms.models import model_to_dict

from execution.models import (
    Decision,
    EquityDay,
    Fill,
    Order,
    PaperAccount,
    PaperOrder,
    Position,
)
from execution.types import Leg
from signals.models import Signal
from signals.rows import by_id, insert, insert_missing, select, update, update_each
from tests.databases import DATABASES
from tests.execution.trading_fixtures import MORNING, Trading, orders_of

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]


def paper_order(account: PaperAccount, name: str) -> PaperOrder:
    return PaperOrder(
        account=account, client_order_id=name, leg=Leg.ENTRY, symbol="AAPL", side="BUY",
        quantity=Decimal("0.000001"), reference=Decimal("1E+2"), state="accepted",
        placed_at=MORNING, seen_at=MORNING, bars_seen_at=MORNING + timedelta(microseconds=1),
        is_open=True,
    )  # fmt: skip


def test_what_is_inserted_is_what_would_be_saved() -> None:
    account = PaperAccount.objects.create(name="one", deposit=Decimal(1), cash=Decimal("0.10"))
    ours, django_s = paper_order(account, "ours"), paper_order(account, "theirs")
    insert(ours)
    django_s.save()
    own = ("id", "client_order_id")
    stored = PaperOrder.objects.get(pk=ours.pk)
    assert stored.client_order_id == "ours"
    assert model_to_dict(stored, exclude=own) == model_to_dict(
        PaperOrder.objects.get(pk=django_s.pk), exclude=own
    )
    assert model_to_dict(ours) == model_to_dict(stored)


def test_an_inserted_row_is_one_that_django_knows() -> None:
    account = PaperAccount(name="one", deposit=Decimal(1), cash=Decimal(1))
    insert(account)
    account.cash = Decimal(2)
    account.save()
    assert PaperAccount.objects.get().cash == 2


def test_the_same_row_twice_is_refused() -> None:
    insert(PaperAccount(name="one", deposit=Decimal(1), cash=Decimal(1)))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(PaperAccount(name="one", deposit=Decimal(1), cash=Decimal(1)))


def test_an_update_changes_one_row_and_only_as_it_was_seen(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    entry = orders_of(signal)["entry"]
    others = {leg: order.state for leg, order in orders_of(signal).items() if leg != "entry"}
    assert not update(Order, entry.pk, {"reason": "late"}, only_if={"state": "filled"})
    assert orders_of(signal)["entry"].reason == ""
    values = {"reason": "seen", "average_price": None, "submitted_at": MORNING}
    assert update(Order, entry.pk, values, only_if={"state": entry.state})
    changed = orders_of(signal)["entry"]
    assert (changed.reason, changed.average_price, changed.submitted_at) == ("seen", None, MORNING)
    assert others == {leg: o.state for leg, o in orders_of(signal).items() if leg != "entry"}
    assert not update(Order, entry.pk + 1_000, {"reason": "nobody"})


def test_an_update_knows_what_is_empty(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    entry = orders_of(signal)["entry"]
    assert not update(Order, entry.pk, {"reason": "x"}, only_if={"submitted_at": None})
    assert update(Order, entry.pk, {"reason": "y"}, only_if={"average_price": None, "reason": ""})
    assert orders_of(signal)["entry"].reason == "y"


@pytest.mark.parametrize("model", [Order, Decision, Fill, Position, Signal, EquityDay, PaperOrder])
def test_what_is_read_is_what_django_reads(trading: Trading, model: type[Model]) -> None:
    trading.trade()
    trading.log(confidence=10.0)
    trading.decide()
    trading.move(110.0)
    theirs = list(model._default_manager.order_by("pk"))
    assert theirs
    ours = select(model, f"SELECT * FROM {model._meta.db_table} ORDER BY id", [])
    assert [values(row) for row in ours] == [values(row) for row in theirs]
    assert by_id(model, [row.pk for row in theirs]) == {row.pk: row for row in theirs}
    assert {(row._state.adding, row._state.db) for row in ours} == {(False, "default")}


def values(row: Model) -> dict[str, object]:
    """Return the values with their types, because 1 equals True."""
    named = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: (type(value), value) for name, value in named.items()}


def test_columns_may_stand_in_another_order() -> None:
    """A migration may have added one at the end or at the beginning."""
    made = PaperAccount.objects.create(name="one", deposit=Decimal(1), cash=Decimal("0.10"))
    columns = ", ".join(
        reversed([str(field.column) for field in PaperAccount._meta.concrete_fields])
    )
    (found,) = select(
        PaperAccount, f"SELECT {columns} FROM paper_accounts WHERE id = %s", [made.pk]
    )
    assert values(found) == values(PaperAccount.objects.get())


def test_many_rows_are_changed_each_its_way(trading: Trading) -> None:
    for number in range(3):
        trading.log(confidence=80.0 + number)
    first, _, third = Decision.objects.order_by("pk")
    update_each(Decision, {
        first.pk: {"reasons": [{"code": "a"}], "decided_at": MORNING},
        third.pk: {"reasons": [], "decided_at": None},
    })  # fmt: skip
    update_each(Decision, {})
    rows = Decision.objects.order_by("pk").values_list("reasons", "decided_at")
    assert list(rows) == [([{"code": "a"}], MORNING), ([], None), ([], None)]


@pytest.mark.parametrize("gap", [False, True])
def test_each_signal_gets_its_row_once(trading: Trading, gap: bool) -> None:
    ids = [trading.log(confidence=80.0 + number).pk for number in range(4)]
    wanted = [ids[0], ids[1], ids[3]] if gap else ids
    Decision.objects.exclude(pk=ids[1]).delete()
    Decision.objects.update(account="first")
    values = {"account": "then", "queued_at": MORNING, "due_at": MORNING, "reasons": "[]"}
    insert_missing([*wanted, wanted[0]], "decisions", values)
    accounts = {pk: "first" if pk == ids[1] else "then" for pk in wanted}
    assert dict(Decision.objects.values_list("pk", "account")) == accounts
    assert {decision.queued_at for decision in Decision.objects.filter(account="then")} == {MORNING}


def test_nothing_is_read_where_nothing_is_asked_for() -> None:
    assert by_id(PaperAccount, []) == {}
    insert_missing([], "decisions", {"account": "nobody"})
    assert select(PaperAccount, "SELECT * FROM paper_accounts WHERE id = %s", [0]) == []
