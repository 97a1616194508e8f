"""An outcome that its exit price contradicts is not recorded."""

import pytest

from argo.errors import InvalidInput
from signals.ledger.outcomes import check, outcome_of, profit_loss_pct
from signals.models import Signal

ENTRY = 150.5


def checked(action: str, outcome: str, exit_price: float) -> None:
    """Check an outcome as `record_outcome` does before it changes anything."""
    check(Signal(action=action, entry_price=ENTRY), outcome, exit_price, "it is so")


@pytest.mark.parametrize(
    ("action", "outcome", "price"),
    [
        ("BUY", "win", ENTRY),
        ("BUY", "win", 150.0),
        ("BUY", "loss", ENTRY),
        ("BUY", "loss", 151.0),
        ("SELL", "win", ENTRY),
        ("SELL", "win", 151.0),
        ("SELL", "loss", ENTRY),
        ("SELL", "loss", 150.0),
        ("BUY", "breakeven", 150.51),
        ("SELL", "breakeven", 150.49),
    ],
)
def test_a_win_made_something_a_loss_lost_something_and_breakeven_neither(
    action: str, outcome: str, price: float
) -> None:
    with pytest.raises(InvalidInput, match=f"is not a {outcome}: at this exit price it is "):
        checked(action, outcome, price)


@pytest.mark.parametrize(
    ("action", "outcome", "price"),
    [
        ("BUY", "win", 150.51),
        ("BUY", "loss", 150.49),
        ("SELL", "win", 150.49),
        ("SELL", "loss", 150.51),
    ],
)
def test_the_least_gain_is_a_win_and_the_least_loss_a_loss(
    action: str, outcome: str, price: float
) -> None:
    checked(action, outcome, price)


@pytest.mark.parametrize("action", ["BUY", "SELL"])
@pytest.mark.parametrize("price", [ENTRY, 150.50000000000003, 150.49999999999997, 150.5000004])
def test_what_rounding_leaves_of_an_average_price_is_breakeven(action: str, price: float) -> None:
    """Fault 75: breakeven needed a float of exactly 0."""
    checked(action, "breakeven", price)
    assert outcome_of(profit_loss_pct(action, ENTRY, price) or 0.0) == "breakeven"
    for outcome in ("win", "loss"):
        with pytest.raises(InvalidInput):
            checked(action, outcome, price)


@pytest.mark.parametrize("tick", [0.01 / 700_000, 0.01 / 120_000, 1e-5 / 1.1, 1 / 15_000_000])
def test_one_tick_is_a_win_or_a_loss(tick: float) -> None:
    assert outcome_of(tick * 100) == "win"
    assert outcome_of(-tick * 100) == "loss"


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        check(Signal(action="BUY", entry_price=ENTRY), "draw", -1.0, " ")
    assert [each.field for each in refused.value.errors] == ["outcome", "exit_price", "why"]


@pytest.mark.parametrize("entry", [0.0, -1.0, float("nan"), 1e-308])
def test_without_a_finite_profit_or_loss_nothing_is_recorded(entry: float) -> None:
    with pytest.raises(InvalidInput, match="exit_price"):
        check(Signal(action="BUY", entry_price=entry), "win", 1e10, "it is so")
