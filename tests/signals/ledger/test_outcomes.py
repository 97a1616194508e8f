"""An outcome that its exit price contradicts is not recorded."""

import pytest

from argo.errors import InvalidInput
from signals.journal import Journal
from signals.ledger.outcomes import record_outcome
from signals.models import OutcomeChange, Signal
from signals.tracker import SignalTracker
from tests.databases import both_databases
from tests.samples import a_signal
from tests.signals.ledger.flush.helpers import NOW

pytestmark = both_databases
SELL = {"action": "SELL", "target_price": 140.0, "stop_price": 155.0}


def recorded(
    tracker: SignalTracker, journal: Journal, using: str, action: str, outcome: str, price: float
) -> Signal:
    """A signal with an entry at 150.5 once this outcome was recorded."""
    changes = SELL if action == "SELL" else {}
    signal_id = tracker.log_signal(a_signal(entry_price=150.5, **changes))
    record_outcome(
        signal_id, outcome=outcome, exit_price=price, who="me", why="it is so", now=NOW,
        journal=journal, using=using,
    )  # fmt: skip
    return Signal.objects.using(using).get(signal_id=signal_id)


@pytest.mark.parametrize(
    ("action", "outcome", "price"),
    [
        ("BUY", "win", 150.5),
        ("BUY", "win", 150.0),
        ("BUY", "loss", 150.5),
        ("BUY", "loss", 151.0),
        ("SELL", "win", 150.5),
        ("SELL", "win", 151.0),
        ("SELL", "loss", 150.5),
        ("SELL", "loss", 150.0),
    ],
)
def test_a_win_made_something_and_a_loss_lost_something(
    tracker: SignalTracker, journal: Journal, using: str, action: str, outcome: str, price: float
) -> None:
    with pytest.raises(InvalidInput, match=f"is no {outcome}: at this exit price it is "):
        recorded(tracker, journal, using, action, outcome, price)
    assert not OutcomeChange.objects.using(using).exists()


@pytest.mark.parametrize(
    ("action", "outcome", "price"),
    [("BUY", "win", 150.51), ("BUY", "loss", 150.49), ("SELL", "win", 150.49),
     ("SELL", "loss", 150.51)],
)  # fmt: skip
def test_the_least_gain_is_a_win_and_the_least_loss_a_loss(
    tracker: SignalTracker, journal: Journal, using: str, action: str, outcome: str, price: float
) -> None:
    assert recorded(tracker, journal, using, action, outcome, price).outcome == outcome
