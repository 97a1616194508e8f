"""What a position decided is not lost when a person edits it, and the edit is shown everywhere."""

import pytest
from django.test import Client

from signals.keys import create_key
from signals.models import Signal
from tests.execution.trading_fixtures import Trading
from tests.signals.api.outcomes import get, patch

pytestmark = pytest.mark.django_db
EDIT = {"outcome": "expired", "exit_price": None, "why": "the fill was not ours"}


@pytest.fixture
def client() -> Client:
    return Client(headers={"X-API-Key": create_key("ann", ["read", "write"])})


@pytest.fixture
def won(trading: Trading) -> Signal:
    """A signal whose position has reached its target."""
    signal = trading.trade()
    trading.move(110.0)
    trading.clock.pass_by(minutes=1)
    return signal


def test_the_api_says_what_the_position_decided(client: Client, won: Signal) -> None:
    found = get(client, won.signal_id)
    assert (found["outcome"], found["decided_by_position"], found["edited"]) == ("win", True, False)
    edited = patch(client, won.signal_id, EDIT, found["etag"])
    assert (edited["outcome"], edited["decided_by_position"], edited["edited"]) == (
        "expired", True, True,
    )  # fmt: skip
    decided = edited["position_decided"]
    assert (decided["outcome"], decided["exit_price"]) == ("win", 110.0)
    assert decided["why"] == "position closed: target"


def test_the_lifecycle_lists_decision_and_edit(client: Client, won: Signal) -> None:
    patch(client, won.signal_id, EDIT)
    patch(client, won.signal_id, {"outcome": None, "why": "not yet"})
    patch(client, won.signal_id, {"outcome": "expired", "why": "now"})
    events = client.get(f"/api/signals/{won.signal_id}/lifecycle").json()
    named = [(each["what"], each["detail"]["who"]) for each in events if "who" in each["detail"]]
    assert [each for each in named if each[1] != "execution"] == [
        ("outcome", "monitor"), *[("edited", "api:ann")] * 3,
    ]  # fmt: skip


def test_the_admin_site_marks_it(client: Client, admin_client: Client, won: Signal) -> None:
    lists = ("/admin/signals/signal/", "/admin/execution/position/")
    assert not any("(edited)" in admin_client.get(path).content.decode() for path in lists)
    patch(client, won.signal_id, EDIT)
    assert all("expired (edited)" in admin_client.get(path).content.decode() for path in lists)
    page = admin_client.get(f"/admin/signals/signal/{won.pk}/change/").content.decode()
    assert "win at 110, +10.00 %; edited since" in page
