"""The admin site sets the outcomes of many signals, after a preview of each."""

import html
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from signals.admin.outcomes import MOST
from signals.clock import utc_now
from signals.config import journal
from signals.ledger.outcomes import BY_POSITION, record_outcome
from signals.models import OutcomeChange, Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal, signals

pytestmark = pytest.mark.django_db
LIST = "/admin/signals/signal/"
SHORT = {"action": "SELL", "target_price": 146.0, "stop_price": 158.0}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
TEXT = re.compile(r'<textarea name="([^"]+)" hidden>([^<]*)</textarea>')


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("clerk"))
    return client


def a_stored(**changes: object) -> Signal:
    return Signal.objects.get(signal_id=SignalTracker("test").log_signal(a_signal(**changes)))


def send(client: Client, *chosen: Signal, path: str = LIST, **fields: object) -> str:
    """Send the form of the action, and return the page that follows."""
    data: dict[str, Any] = {name: str(value) for name, value in fields.items()}
    data |= {"action": "set_outcomes", "_selected_action": [each.pk for each in chosen]}
    answer = client.post(path, data, follow=True)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def preview(client: Client, *chosen: Signal, **fields: object) -> str:
    given: dict[str, Any] = {"step": "preview", "why": "by hand"} | fields
    return send(client, *chosen, **given)


def confirm(client: Client, page: str, step: str = "record", path: str = LIST) -> str:
    """Press a button of the preview, as a browser does."""
    data: dict[str, list[str]] = {"step": [step]}
    for name, value in HIDDEN.findall(page) + TEXT.findall(page):
        data.setdefault(name, []).append(html.unescape(value))
    text: str = client.post(path, data, follow=True).content.decode()
    return text


def cells(page: str) -> list[list[str]]:
    """Return the texts of the table's rows, from the column `now` on."""
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition('class="outcomes"')[2], re.DOTALL)
    return [re.findall(r"<td[^>]*>([^<]*)</td>", row)[4:] for row in rows[1:]]


def ended(signal: Signal) -> tuple[str | None, float | None]:
    signal.refresh_from_db()
    return signal.outcome, signal.exit_price


def test_the_action_asks_first_and_records_nothing(clerk: Client) -> None:
    signal = a_stored()
    page = send(clerk, signal)
    assert "Set the outcome" in page
    assert f'name="exit_price_{signal.pk}"' in page
    preview(clerk, signal, exit_price=158)
    assert not OutcomeChange.objects.exists()


def test_the_preview_shows_profit_or_loss_of_each(clerk: Client) -> None:
    buy, sell = a_stored(timestamp="2025-01-15T10:30:01Z"), a_stored(**SHORT)
    page = preview(clerk, buy, sell, exit_price=158)
    assert cells(page) == [["open", "158", "win", "+4.98"], ["open", "158", "loss", "-4.98"]]
    assert "2 of 2 can be recorded" in page
    assert "Record 2 outcomes" in page


def test_what_was_previewed_is_recorded_with_name_and_reason(clerk: Client) -> None:
    buy, sell = a_stored(), a_stored(**SHORT)
    page = preview(clerk, buy, sell, exit_price=158, why="read & seen")
    assert "Outcomes recorded: 2. Unchanged: 0." in confirm(clerk, page)
    assert (ended(buy), ended(sell)) == (("win", 158.0), ("loss", 158.0))
    kept = set(OutcomeChange.objects.values_list("who", "why"))
    assert kept == {("admin:clerk", "read & seen")}
    assert journal().path.read_bytes().count(b'"change"') == 2
    logged = {str(each.change_message) for each in LogEntry.objects.all()}
    assert len(logged) == 2


def test_a_price_of_its_own_goes_before_the_one_for_all(clerk: Client) -> None:
    one, two = a_stored(), a_stored()
    fields = {f"exit_price_{one.pk}": "150.5"}
    confirm(clerk, preview(clerk, one, two, exit_price=146, **fields))
    assert (ended(one), ended(two)) == (("breakeven", 150.5), ("loss", 146.0))


def test_one_outcome_for_all_needs_no_price_if_time_was_over(clerk: Client) -> None:
    one, two = a_stored(), a_stored()
    confirm(clerk, preview(clerk, one, two, outcome="expired"))
    assert ended(one) == ended(two) == ("expired", None)


def test_a_bad_one_is_refused_by_itself(clerk: Client) -> None:
    good, bad = a_stored(timestamp="2025-01-15T10:30:01Z"), a_stored()
    page = preview(clerk, good, bad, outcome="win", exit_price=158, **{f"exit_price_{bad.pk}": 146})
    assert "1 of 2 can be recorded" in page
    assert cells(page)[1] == ["open", "outcome: is not a win: at this exit price it is -2.99%"]
    done = confirm(clerk, page)
    assert "is not a win" in done
    assert "Outcomes recorded: 1" in done
    assert (ended(good), ended(bad)) == (("win", 158.0), (None, None))


def test_an_outcome_that_follows_from_no_price_is_refused(clerk: Client) -> None:
    signal = a_stored()
    page = preview(clerk, signal)
    assert "exit_price: is needed" in page
    assert 'value="record"' not in page
    confirm(clerk, page)
    assert ended(signal) == (None, None)


def test_what_was_changed_after_the_preview_is_refused(clerk: Client) -> None:
    one, two = a_stored(), a_stored()
    page = preview(clerk, one, two, exit_price=158)
    record_outcome(
        one.signal_id, outcome="loss", exit_price=146.0, who=BY_POSITION, why="t", now=utc_now(),
        journal=journal(),
    )  # fmt: skip
    done = confirm(clerk, page, path=f"{LIST}?outcome=open")
    assert "is not the one that you have seen" in done
    assert (ended(one), ended(two)) == (("loss", 146.0), ("win", 158.0))


def test_a_form_without_the_preview_records_nothing(clerk: Client) -> None:
    signal = a_stored()
    send(clerk, signal, step="record", exit_price=158, why="I did not look")
    assert ended(signal) == (None, None)


def test_what_a_position_decided_is_marked(clerk: Client) -> None:
    signal = a_stored()
    record_outcome(
        signal.signal_id, outcome="loss", exit_price=146.0, who=BY_POSITION, why="t",
        now=utc_now(), journal=journal(),
    )  # fmt: skip
    assert "decided by its position" in send(clerk, signal)
    confirm(clerk, preview(clerk, signal, exit_price=158))
    page = send(clerk, signal)
    assert "win at 158, +4.98 % (edited)" in page
    assert "its position decided loss at 146, -2.99 %" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"why": " "}, "required"),
        ({"why": "x" * 1001}, "at most 1000"),
        ({"why": "a\0b"}, "Null characters"),
        ({"outcome": "draw"}, "valid choice"),
        ({"exit_price": "nan"}, "Enter a number"),
        ({"exit_price": "much"}, "Enter a number"),
    ],
)
def test_a_bad_form_is_explained(clerk: Client, fields: dict[str, str], said: str) -> None:
    page = preview(clerk, a_stored(), **fields)
    assert said in page
    assert "Preview" in page


def test_the_values_can_be_changed_after_the_preview(clerk: Client) -> None:
    signal = a_stored()
    page = confirm(clerk, preview(clerk, signal, exit_price=158), step="change")
    assert 'value="158"' in page or 'value="158.0"' in page
    assert "by hand" in page
    assert 'value="preview"' in page


def test_the_signals_of_one_action_are_limited(clerk: Client) -> None:
    SignalTracker("test").log_signals(signals(MOST + 1))
    assert f"at most {MOST} signals" in send(clerk, *Signal.objects.all())


def test_all_signals_that_pass_the_filters_cannot_be_chosen_at_once(clerk: Client) -> None:
    page = send(clerk, a_stored(), select_across=1)
    assert "selected on this page, not on all that pass the filters. Nothing was changed" in page


def test_who_may_only_look_sets_nothing() -> None:
    signal, user = a_stored(), User.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_signal"))
    looker = Client()
    looker.force_login(user)
    assert "set_outcomes" not in looker.get(LIST).content.decode()
    preview(looker, signal, exit_price=158)
    send(looker, signal, step="record", exit_price=158, why="no")
    assert ended(signal) == (None, None)
