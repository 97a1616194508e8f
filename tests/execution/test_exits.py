"""What execution does if a sender ends a signal: closes, cancels, or skips."""

import pytest
from django.utils import timezone

from execution import exits
from execution.models import Decision, Position
from execution.types import ExitReason
from signals.alerts.exits import Ending
from signals.models import OutcomeChange
from tests.execution.trading_fixtures import Trading, decision_of, position_of, states_of

pytestmark = pytest.mark.django_db
WHY = "exit alert of tv"


@pytest.fixture(autouse=True)
def the_context(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exits, "trading_context", lambda: trading.context)


def test_an_open_position_is_closed_and_gives_the_outcome(trading: Trading) -> None:
    signal = trading.trade()
    assert exits.end_signal(signal.pk, WHY) is Ending.CLOSING
    assert exits.end_signal(signal.pk, WHY) is Ending.CLOSING, "to ask twice changes nothing"
    trading.move(101.0)
    trading.move(101.0)
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", ExitReason.ALERT)
    signal.refresh_from_db()
    assert signal.outcome is not None
    change = OutcomeChange.objects.filter(signal=signal).latest("pk")
    assert change.why == "position closed: alert"


def test_a_decision_that_is_due_is_skipped_and_never_opens_anything(trading: Trading) -> None:
    signal = trading.log()
    assert exits.end_signal(signal.pk, WHY) is Ending.FREE
    decision = decision_of(signal)
    assert (decision.status, decision.skipped_for) == ("skipped", "ended")
    trading.decide()
    assert not Position.objects.exists()
    assert exits.end_signal(signal.pk, WHY) is Ending.FREE


def test_a_decision_that_is_being_made_is_waited_for(trading: Trading) -> None:
    signal = trading.log()
    Decision.objects.update(status="deciding", claim="another", due_at=timezone.now())
    assert exits.end_signal(signal.pk, WHY) is Ending.BUSY
    assert decision_of(signal).status == "deciding"


def test_an_entry_at_the_broker_is_canceled(trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    assert states_of(signal)["entry"] == "accepted"
    assert exits.end_signal(signal.pk, WHY) is Ending.BUSY
    assert states_of(signal)["entry"] == "canceled"
    assert exits.end_signal(signal.pk, WHY) is Ending.FREE
    trading.move(100.0)
    assert not Position.objects.exists()
