"""No money appears or disappears, and the same prices give the same fills."""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.brokers.fill_model import Costs, FillModel
from execution.brokers.paper.ledger import open_brackets
from execution.brokers.protocol import BrokerError
from execution.models import PaperAccount, PaperFill, PaperOrder
from execution.types import Leg, Side
from tests.execution.brokers.paper.paper_fixtures import PaperFixture

pytestmark = pytest.mark.django_db
_names = count(1)


class Act(NamedTuple):
    """What happens before a bar (nothing, an order, a cancel or a close), and the bar."""

    kind: str
    side: Side
    quantity: int
    prices: Sequence[int]
    volume: int


ACTS = st.lists(
    st.builds(
        Act,
        st.sampled_from(["", "place", "place", "place", "cancel", "close"]),
        st.sampled_from(Side),
        st.integers(1, 60),
        st.lists(st.integers(90, 112), min_size=4, max_size=4).map(sorted),
        st.integers(0, 500),
    ),
    min_size=3,
    max_size=25,
)
PERCENT = st.decimals(0, 1, places=2)
FILL_MODELS = st.builds(
    FillModel,
    st.builds(Costs, PERCENT, PERCENT, PERCENT),
    st.none() | st.decimals(1, 50, places=1),
)


def run(acts: Sequence[Act], fill_model: FillModel, *, is_exclusive: bool = False) -> PaperFixture:
    paper = PaperFixture(fill_model, name=f"paper-{next(_names)}", is_exclusive=is_exclusive)
    for number, act in enumerate(acts):
        _do(paper, act, f"o{number}")
        low, first, last, high = act.prices
        paper.bar(first, high, low, last, volume=act.volume)
    return paper


def _do(paper: PaperFixture, act: Act, name: str) -> None:
    held = [order for order in paper.broker.open_orders() if order.leg in (Leg.ENTRY, Leg.STOP)]
    with suppress(BrokerError):  # too little money, or nothing to close
        if act.kind == "place":
            paper.place(name, act.side, act.quantity)
        elif act.kind == "cancel" and held:
            paper.broker.cancel(held[0].broker_id)
        elif act.kind == "close" and held:
            entry = held[0].client_order_id.partition("/")[0]
            paper.close(entry, paper.order(entry).filled)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, fill_model=FILL_MODELS)
def test_money_is_conserved(db: None, acts: list[Act], fill_model: FillModel) -> None:
    paper = run(acts, fill_model)
    account = PaperAccount.objects.get(name=paper.name)
    fills = PaperFill.objects.filter(order__account=account).select_related("order")
    fees = sum((fill.fee for fill in fills), Decimal(0))
    paid = sum((_signed(fill) * fill.price for fill in fills), Decimal(0))
    assert account.cash == account.deposit - paid - fees
    found = paper.broker.account()
    held = sum((_signed(fill) for fill in fills), Decimal(0))
    assert held == sum((each.quantity for each in paper.broker.positions()), Decimal(0))
    assert found.equity == account.cash + held * acts[-1].prices[2] or not held
    at_cost = sum((each.signed * each.average for each in open_brackets(account)), Decimal(0))
    assert abs(found.balance - account.cash - at_cost) < Decimal("1e-9")


def _signed(fill: PaperFill) -> Decimal:
    return fill.quantity if fill.order.side == "BUY" else -fill.quantity


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, fill_model=FILL_MODELS)
def test_no_order_overfills_and_no_exit_closes_more_than_is_held(
    db: None, acts: list[Act], fill_model: FillModel
) -> None:
    paper = run(acts, fill_model)
    orders = PaperOrder.objects.filter(account__name=paper.name).prefetch_related("fills")
    by_entry: dict[int, Decimal] = {}
    for order in orders.order_by("pk"):
        done = sum((fill.quantity for fill in order.fills.all()), Decimal(0))
        assert done == order.filled <= order.quantity
        assert (order.state == "filled") == (order.filled == order.quantity)
        entry = order.parent_id or order.pk
        by_entry[entry] = by_entry.get(entry, Decimal(0)) + (done if not order.parent_id else -done)
    assert all(held >= 0 for held in by_entry.values())


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, fill_model=FILL_MODELS)
def test_the_same_prices_give_the_same_ledger_shared_or_exclusive(
    db: None, acts: list[Act], fill_model: FillModel
) -> None:
    first, second = run(acts, fill_model), run(acts, fill_model)
    exclusive = run(acts, fill_model, is_exclusive=True)
    assert ledger_rows(first) == ledger_rows(second) == ledger_rows(exclusive)


def ledger_rows(paper: PaperFixture) -> list[tuple[object, ...]]:
    orders = PaperOrder.objects.filter(account__name=paper.name).order_by("pk")
    fills = PaperFill.objects.filter(order__account__name=paper.name).order_by("pk")
    return [
        *orders.values_list("client_order_id", "state", "filled", "value", "filled_at"),
        *fills.values_list("order__client_order_id", "quantity", "price", "fee", "time"),
        *PaperAccount.objects.filter(name=paper.name).values_list("cash"),
    ]
