"""An order changes its state by a table; what was ordered and filled never changes."""

from decimal import Decimal
from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from execution.models import Decision, Fill, Order
from execution.money import exact_text
from execution.orders.router import send_due
from execution.orders.states import TRANSITIONS, BadTransition, client_order_id, may_become, move
from execution.types import FINAL, Leg, OrderState
from signals.rows import Immutable
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading, decision_of, fill_of, orders_of, states_of

pytestmark = pytest.mark.django_db(databases=DATABASES)

ALLOWED = {
    "initialized": "denied submitted canceled accepted partially_filled filled expired rejected",
    "denied": "",
    "submitted": "submitted unknown denied accepted partially_filled filled canceled expired "
    "rejected",
    "unknown": "unknown submitted denied accepted partially_filled filled canceled expired "
    "rejected",
    "accepted": "partially_filled filled canceled expired rejected",
    "partially_filled": "partially_filled filled canceled expired",
    "filled": "",
    "canceled": "filled",
    "expired": "filled",
    "rejected": "",
}


@pytest.fixture
def order(trading: Trading) -> Order:
    """Return an entry that the broker has accepted."""
    signal = trading.log()
    trading.decide()
    return orders_of(signal)["entry"]


def test_the_table_of_transitions_is_as_written_here() -> None:
    assert {old.value: {new.value for new in after} for old, after in TRANSITIONS.items()} == {
        old: set(after.split()) for old, after in ALLOWED.items()
    }


def test_a_final_order_can_only_be_filled() -> None:
    for old, new in product(FINAL, OrderState):
        assert not may_become(old, new) or new is OrderState.FILLED


@pytest.mark.parametrize(("old", "new"), list(product(OrderState, OrderState)))
def test_an_order_makes_no_other_transition(order: Order, old: OrderState, new: OrderState) -> None:
    Order.objects.filter(pk=order.pk).update(state=old)
    order.state = old
    if new.value in ALLOWED[old].split():
        assert move(order, new, order.created_at)
        assert order.state == new
    else:
        with pytest.raises(BadTransition):
            move(order, new, order.created_at)
    stored = Order.objects.get(pk=order.pk)
    assert stored.state == (new if new.value in ALLOWED[old].split() else old)


@pytest.mark.usefixtures("database")
def test_the_second_of_two_workers_moves_nothing(order: Order) -> None:
    other = Order.objects.get(pk=order.pk)
    assert move(order, OrderState.FILLED, order.created_at)
    assert not move(other, OrderState.CANCELED, order.created_at)
    assert Order.objects.get(pk=order.pk).state == "filled"


def test_a_client_id_is_unique_to_signal_leg_and_number() -> None:
    ids = {
        client_order_id(signal, leg, number)
        for signal, leg, number in product(("a", "b", "ä", "a b", "x" * 64), Leg, (1, 2, 11))
    }
    assert len(ids) == 5 * 4 * 3
    assert client_order_id("a", Leg.ENTRY) == client_order_id("a", Leg.ENTRY, 1) == "argo-a-entry"


@given(st.text(min_size=1, max_size=300), st.sampled_from(Leg), st.integers(1, 10**6))
def test_every_broker_accepts_a_client_id(signal_id: str, leg: Leg, number: int) -> None:
    made = client_order_id(signal_id, leg, number)
    assert len(made) <= 128
    assert made.isascii()
    assert made.isprintable()


@pytest.mark.usefixtures("database")
def test_there_is_one_order_of_a_signal_and_leg(order: Order) -> None:
    names = [field.attname for field in Order._meta.concrete_fields if field.attname != "id"]
    again = Order(**{name: getattr(order, name) for name in names} | {"client_order_id": "x"})
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save(force_insert=True)


def test_what_was_ordered_stays(order: Order) -> None:
    order.quantity = Decimal(1)
    for change in (
        order.save,
        order.delete,
        Order.objects.all().delete,
        lambda: Order.objects.update(quantity=Decimal(1)),
        lambda: Order.objects.update(client_order_id="x", state="filled"),
    ):
        with pytest.raises(Immutable):
            change()
    assert Order.objects.get(pk=order.pk).quantity == 100


def test_fills_stay(trading: Trading) -> None:
    trading.trade()
    fill = Fill.objects.get()
    fill.price = Decimal(1)
    for change in (
        fill.save,
        fill.delete,
        Fill.objects.all().delete,
        lambda: Fill.objects.update(price=Decimal(1)),
    ):
        with pytest.raises(Immutable):
            change()
    assert Fill.objects.get().price == 100


@pytest.mark.usefixtures("database")
def test_money_keeps_every_digit(trading: Trading) -> None:
    """Some of the figures have more digits than a float can hold."""
    signal = trading.log()
    trading.decide()
    order = orders_of(signal)["entry"]
    exact = [Decimal("123456789012345678.123456789012345678"), Decimal("0.1"), Decimal("1E-18")]
    for number, price in enumerate(exact, 1):
        report = fill_of(order, "0.000001", price, number, fee=Decimal("0.30"))
        Fill(
            account="paper", fill_id=report.fill_id, order=order, quantity=report.quantity,
            price=price, fee=report.fee, time=report.time,
        ).save()  # fmt: skip
    rows = Fill.objects.order_by("pk")
    assert [row.price for row in rows] == exact
    assert {row.fee for row in rows} == {Decimal("0.3")}


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=9))
def test_the_same_number_has_one_text(number: Decimal) -> None:
    text = exact_text(number)
    assert Decimal(text) == number
    assert text == exact_text(number.normalize())
    assert "E" not in text.upper()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity"])
def test_a_figure_that_is_not_a_number_is_not_stored(order: Order, figure: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        Order.objects.filter(pk=order.pk).update(filled=Decimal(figure))


def test_the_index_of_open_orders_names_every_final_state(order: Order) -> None:
    """The SQL text of the index has the same states as the Python code."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'orders_open'")
        (sql,) = cursor.fetchone()
    assert all(f"'{state.value}'" in sql for state in FINAL)


def test_a_filled_order_is_not_sent(trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(hours=1)
    before = len(trading.broker.calls)
    assert send_due(trading.context) == 0
    assert trading.broker.calls[before:] == []
    assert states_of(signal)["entry"] == "filled"


def test_fault_35_a_status_has_one_spelling(trading: Trading) -> None:
    """The rows hold the values that the code compares with."""
    signal = trading.trade()
    trading.move(111.0)
    assert set(states_of(signal).values()) == {"filled", "canceled"}
    assert {OrderState(row.state) for row in Order.objects.all()} <= TRANSITIONS.keys()
    choices = {value for value, _ in Order._meta.get_field("state").choices or ()}
    assert choices == {state.value for state in OrderState}
    assert decision_of(signal).status in Decision.Status.values
