"""An outcome that its exit price contradicts is not recorded."""

import pytest

from argo.errors import InvalidInput
from signals.ledger.outcomes import check
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
    ],
)
def test_a_win_made_something_and_a_loss_lost_something(
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
