"""The admin site: signals can be browsed; only outcomes can change, and each change is recorded."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from signals.config import flusher, journal
from signals.keys import create_key
from signals.models import ApiKey, DeadLetter, OutcomeChange, Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal, signals

pytestmark = pytest.mark.django_db
LIST = "/admin/signals/signal/"


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("clerk"))
    return client


def _log(**changes: object) -> Signal:
    signal_id = SignalTracker("test").log_signal(a_signal(**changes))
    return Signal.objects.get(signal_id=signal_id)


def _page(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def _listed(client: Client, **query: str) -> set[str]:
    return set(re.findall(r'field-signal_id"><a[^>]*>([^<]+)<', _page(client, LIST, **query)))


def _form(**changes: str) -> dict[str, str]:
    nothing = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}
    inlines = {
        f"{name}-{key}": value
        for name in (
            "context",
            "changes",
            "delivery",
            "decision",
            "orders",
            "position",
            "counterfactual",
        )
        for key, value in nothing.items()
    }
    return {"outcome": "win", "exit_price": "158", "why": "target reached", **inlines, **changes}


@pytest.mark.parametrize(
    "name",
    [
        "signal",
        "deadletter",
        "outcomechange",
        "journalcursor",
        "apikey",
        "candidaterecord",
        "instrumentspelling",
    ],
)
def test_every_table_can_be_browsed(clerk: Client, name: str) -> None:
    _log()
    journal().append([b"garbage"])
    flusher().flush()
    create_key("x", ["read"])
    _page(clerk, f"/admin/signals/{name}/")


def test_signals_are_searched_by_id_or_symbol(clerk: Client) -> None:
    one, other = _log(symbol="MSFT"), _log(symbol="IBM")
    assert _listed(clerk) == {one.signal_id, other.signal_id}
    assert _listed(clerk, q="msft") == {one.signal_id}
    assert _listed(clerk, q=other.signal_id) == {other.signal_id}
    assert _listed(clerk, q="nothing") == set()


def _spellings(client: Client, **query: str) -> set[str]:
    page = _page(client, "/admin/signals/instrumentspelling/", **query)
    return set(re.findall(r'field-spelling"><a[^>]*>([^<]+)<', page))


def test_instruments_are_searched_in_any_spelling(clerk: Client) -> None:
    for symbol in ("AAPL", "NASDAQ:AAPL", "BRK-B", "BTC/USD"):
        _log(symbol=symbol)
    assert len(_spellings(clerk)) == 4
    for term in ("AAPL", " nasdaq:aapl ", "AAPL.US"):
        assert _spellings(clerk, q=term) == {"AAPL", "NASDAQ:AAPL"}
    assert _spellings(clerk, q="brk.b") == {"BRK-B"}
    assert _spellings(clerk, q="BTCUSD") == {"BTC/USD"}
    assert _spellings(clerk, q="nothing") == set()
    assert len(_spellings(clerk, q="  ")) == 4


def test_signals_are_filtered(clerk: Client) -> None:
    buy = _log()
    sell = _log(action="SELL", target_price=146.0, stop_price=158.0, symbol="IBM")
    assert _listed(clerk, action="SELL") == {sell.signal_id}
    assert _listed(clerk, symbol="AAPL") == {buy.signal_id}
    assert _listed(clerk, outcome="open") == {buy.signal_id, sell.signal_id}
    assert _listed(clerk, outcome="win") == set()
    assert _listed(clerk, days="1") == set()
    assert _listed(clerk, days="99999999") == _listed(clerk, days="abc") == _listed(clerk)


def test_an_outcome_is_recorded_as_a_change(clerk: Client) -> None:
    signal = _log()
    answer = clerk.post(f"{LIST}{signal.pk}/change/", _form())
    assert answer.status_code == 302
    signal.refresh_from_db()
    assert (signal.outcome, signal.exit_price) == ("win", 158.0)
    assert signal.profit_loss_pct == pytest.approx((158.0 - 150.5) / 150.5 * 100)
    change = OutcomeChange.objects.get()
    assert (change.who, change.why) == ("admin:clerk", "target reached")
    assert change.change_id in journal().path.read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"why": ""}, "required"),
        ({"exit_price": ""}, "is needed for the outcome win"),
        ({"exit_price": "-1"}, "above 0"),
        ({"exit_price": "nan"}, "number"),
        ({"outcome": "draw"}, "valid choice"),
    ],
)
def test_a_bad_outcome_is_explained_in_the_form(
    clerk: Client, changes: dict[str, str], said: str
) -> None:
    signal = _log()
    answer = clerk.post(f"{LIST}{signal.pk}/change/", _form(**changes))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not OutcomeChange.objects.exists()


def test_nothing_else_can_be_edited(clerk: Client) -> None:
    signal = _log()
    before = Signal.objects.values("symbol", "entry_price", "sha256", "timestamp").get()
    clerk.post(f"{LIST}{signal.pk}/change/", _form(symbol="X", entry_price="1", sha256="0"))
    assert Signal.objects.values("symbol", "entry_price", "sha256", "timestamp").get() == before


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_signals_are_neither_added_nor_deleted(clerk: Client, path: str) -> None:
    signal = _log()
    assert clerk.get(LIST + path.format(pk=signal.pk)).status_code == 403
    assert "delete_selected" not in _page(clerk, LIST)


def test_a_dead_letter_shows_its_line_and_can_be_sent_again(clerk: Client) -> None:
    SignalTracker("test").log_signals(signals(1))
    line = journal().path.read_bytes().splitlines()[0]
    journal().append([b"garbage \xff"])
    flusher().flush()
    letter = DeadLetter.objects.get()
    page = _page(clerk, f"/admin/signals/deadletter/{letter.pk}/change/")
    assert r"garbage \xff" in page
    action = {"action": "send_again", "_selected_action": [letter.pk]}
    assert (
        "is not JSON"
        in clerk.post("/admin/signals/deadletter/", action, follow=True).content.decode()
    )
    DeadLetter.objects.update(payload=line)
    clerk.post("/admin/signals/deadletter/", action)
    letter.refresh_from_db()
    assert letter.resolved_at is not None


def test_a_dead_letter_can_be_resolved(clerk: Client) -> None:
    journal().append([b"garbage"])
    flusher().flush()
    letter = DeadLetter.objects.get()
    clerk.post("/admin/signals/deadletter/", {"action": "resolve", "_selected_action": [letter.pk]})
    letter.refresh_from_db()
    assert letter.resolved_at is not None


def test_a_key_can_be_revoked(clerk: Client) -> None:
    create_key("x", ["read"])
    key = ApiKey.objects.get()
    clerk.post("/admin/signals/apikey/", {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert key.sha256 not in _page(clerk, f"/admin/signals/apikey/{key.pk}/change/")
