"""The admin site: signals can be browsed; only outcomes can change, and each change is recorded."""

import html
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from signals.admin import verifying
from signals.config import flusher, journal
from signals.keys import create_key
from signals.ledger.outcome_history import read_outcome
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


def _form(signal: Signal, **changes: str) -> dict[str, str]:
    """Return what a browser sends after somebody has filled in the signal's page."""
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
    filled = {"outcome": "win", "exit_price": "158", "why": "target reached"}
    return {**filled, "etag": read_outcome(signal.signal_id).etag, **inlines, **changes}


def _save(client: Client, signal: Signal, form: dict[str, str]) -> tuple[int, str]:
    """Return the status, and the texts of the page."""
    answer = client.post(f"{LIST}{signal.pk}/change/", form)
    signal.refresh_from_db()
    return answer.status_code, html.unescape(answer.content.decode())


@pytest.mark.parametrize(
    "name",
    [
        "signal",
        "deadletter",
        "outcomechange",
        "journalcursor",
        "apikey",
        "calibrationrecord",
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


def test_the_list_rounds_numbers_and_has_the_exact_value_in_the_title(clerk: Client) -> None:
    _log(confidence=77.11521383912)
    assert 'title="77.11521383912">77.1<' in _page(clerk, LIST)


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


def test_signals_are_filtered_by_what_their_sender_said(clerk: Client) -> None:
    one = _log(confidence=91.0, strategy="one", regime="BULL", timestamp="2025-01-15T23:59:59Z")
    two = _log(confidence=49.0, strategy="two", regime="BEAR", timestamp="2025-01-17T00:00:00Z")
    filters = [{"confidence": "90"}, {"strategy": "one"}, {"regime": "BULL"},
               {"until": "2025-01-15"}, {"since": "2025-01-15", "until": "2025-01-16"}]  # fmt: skip
    for given in filters:
        assert _listed(clerk, **given) == {one.signal_id}, given
    for given in ({"confidence": "low"}, {"since": "2025-01-16"}, {"regime": "BEAR"}):
        assert _listed(clerk, **given) == {two.signal_id}, given
    assert _listed(clerk, since="soon", confidence="much") == _listed(clerk)


def test_filters_offer_what_there_is_and_keep_the_others(clerk: Client) -> None:
    _log(symbol="MSFT", strategy="mine")
    page = _page(clerk, LIST, symbol="AAPL", until="2025-01-15")
    choices = {name: f'href="?symbol={name}&amp;until=2025-01-15"' for name in ("AAPL", "MSFT")}
    assert all(address in page for address in choices.values())  # also the one without a signal
    assert '<a href="?strategy=mine&amp;symbol=AAPL&amp;until=2025-01-15">mine</a>' in page
    assert '<input type="hidden" name="symbol" value="AAPL">' in page
    assert 'name="until" value="2025-01-15"' in page
    assert "Symbol: AAPL" in page


def test_a_row_leads_to_the_page_of_its_signal_and_shows_side_and_outcome_as_words(
    clerk: Client,
) -> None:
    signal = _log()
    page = _page(clerk, LIST)
    assert (
        f'<a href="/signals/?id={signal.signal_id}"><time datetime="2025-01-15T10:30:00Z"' in page
    )
    assert '<span class="tag note">BUY</span>' in page
    assert '<span class="tag note">open</span>' in page


def test_chosen_signals_are_verified(clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    good, altered = _log(), _log()
    Signal._base_manager.filter(pk=altered.pk).update(target_price=200)
    chosen = {"action": "verify", "_selected_action": [good.pk, altered.pk]}
    page = clerk.post(LIST, chosen, follow=True).content.decode()
    assert "Unaltered: 1 of 2." in page
    assert f"{altered.signal_id}: does not match its own hash" in page
    monkeypatch.setattr(verifying, "MOST", 1)
    assert "at most 1 signals" in clerk.post(LIST, chosen, follow=True).content.decode()


def test_an_outcome_is_recorded_as_a_change(clerk: Client) -> None:
    signal = _log()
    answer = clerk.post(f"{LIST}{signal.pk}/change/", _form(signal))
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
    answer = clerk.post(f"{LIST}{signal.pk}/change/", _form(signal, **changes))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not OutcomeChange.objects.exists()


def test_the_second_of_two_people_is_told_what_the_first_recorded(clerk: Client) -> None:
    signal = _log()
    seen_by_both = _form(signal, exit_price="155")
    assert _save(clerk, signal, seen_by_both)[0] == 302
    code, page = _save(clerk, signal, {**seen_by_both, "exit_price": "160"})
    assert (code, signal.exit_price) == (200, 155.0)
    assert "it is win at 155, +2.99 % now. Nothing was saved" in page
    assert OutcomeChange.objects.count() == 1


def test_who_was_told_and_saves_again_overwrites(clerk: Client) -> None:
    signal = _log()
    seen_by_both = _form(signal, exit_price="155")
    _save(clerk, signal, seen_by_both)
    second = {**seen_by_both, "exit_price": "160"}
    _, page = _save(clerk, signal, second)
    assert 'name="exit_price" value="160"' in page
    assert re.search(r'<textarea name="why"[^>]*>\s*target reached</textarea>', page)
    shown = re.search(r'name="etag" value="("[^"]*")"', page)
    assert shown
    assert _save(clerk, signal, second | {"etag": shown[1]})[0] == 302
    assert signal.exit_price == 160.0


@pytest.mark.parametrize("etag", ["", "*", "x"])
def test_a_form_that_has_not_seen_the_outcome_saves_nothing(clerk: Client, etag: str) -> None:
    signal = _log()
    code, page = _save(clerk, signal, _form(signal, etag=etag))
    assert (code, signal.outcome) == (200, None)
    assert "Nothing was saved" in page


def test_who_may_only_look_at_signals_gets_no_form(client: Client) -> None:
    signal, reader = _log(), User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename="view_signal"))
    client.force_login(reader)
    page = _page(client, f"{LIST}{signal.pk}/change/")
    assert 'class="readonly"' in page
    assert not re.search(r"etag|Why:", page, re.IGNORECASE)


def test_nothing_else_can_be_edited(clerk: Client) -> None:
    signal = _log()
    before = Signal.objects.values("symbol", "entry_price", "sha256", "timestamp").get()
    clerk.post(f"{LIST}{signal.pk}/change/", _form(signal, symbol="X", entry_price="1", sha256="0"))
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
