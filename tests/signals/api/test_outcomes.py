"""GET and PATCH of one outcome: each change is recorded, and none is made unseen."""

import json
import math
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from signals.clock import utc_now
from signals.config import journal
from signals.ledger.outcomes import BY_POSITION, record_order, record_outcome
from signals.models import OutcomeChange, Signal
from tests.signals.api.outcomes import (
    WIN,
    a_stored,
    faults,
    get,
    nothing_changed,
    patch,
    path_of,
    send,
)

pytestmark = pytest.mark.django_db
OPEN = {
    "outcome": None,
    "exit_price": None,
    "profit_loss_pct": None,
    "decided_by_position": False,
    "edited": False,
    "position_decided": None,
}


def test_a_signal_without_an_outcome_is_open(reader: Client) -> None:
    signal_id = a_stored()
    found = get(reader, signal_id)
    assert found.pop("etag").strip('"')
    assert found == {"signal_id": signal_id, **OPEN}


def test_a_change_is_a_row_and_a_journal_line_with_the_name_of_the_key(writer: Client) -> None:
    signal_id = a_stored()
    answer = patch(writer, signal_id)
    percent = pytest.approx((158.0 - 150.5) / 150.5 * 100)
    wanted = {"outcome": "win", "exit_price": 158.0, "profit_loss_pct": percent}
    assert answer == {"signal_id": signal_id, **OPEN, **wanted, "etag": answer["etag"]}
    assert answer == get(writer, signal_id)
    change = OutcomeChange.objects.get()
    assert (change.who, change.why) == ("api:writer", "target reached")
    stored = Signal.objects.values(*wanted).get()
    assert stored == wanted
    line = json.loads(journal().path.read_bytes().splitlines()[-1])
    assert line["change"]["id"] == change.change_id
    assert line["change"]["after"] == change.after


def test_the_etag_changes_with_every_change_of_the_outcome(writer: Client) -> None:
    """Also if it is back at what it was: somebody has seen the other one meanwhile."""
    signal_id = a_stored()
    tags = [get(writer, signal_id)["etag"]]
    for price in (158.0, 159.0, 158.0):
        tags.append(patch(writer, signal_id, WIN | {"exit_price": price}, tags[-1])["etag"])
    clear = {"outcome": None, "exit_price": None, "why": "a mistake"}
    tags.append(patch(writer, signal_id, clear, tags[-1])["etag"])
    assert len(set(tags)) == len(tags)
    assert get(writer, signal_id)["etag"] == tags[-1]


def test_the_etag_notices_a_script_that_records_no_change(writer: Client) -> None:
    signal_id = a_stored()
    before = get(writer, signal_id)["etag"]
    Signal._base_manager.update(outcome="loss")
    assert get(writer, signal_id)["etag"] != before


def test_an_order_of_the_signal_is_no_change_of_its_outcome(writer: Client) -> None:
    signal_id = a_stored()
    before = get(writer, signal_id)
    record_order(signal_id, "order-1", who="t", why="t", now=utc_now(), journal=journal())
    assert get(writer, signal_id) == before
    assert patch(writer, signal_id, WIN, before["etag"])["edited"] is False


def test_two_signals_have_different_etags(reader: Client) -> None:
    assert get(reader, a_stored())["etag"] != get(reader, a_stored())["etag"]


def test_a_change_since_the_outcome_was_read_is_a_conflict(writer: Client) -> None:
    signal_id = a_stored()
    seen = get(writer, signal_id)["etag"]
    now = patch(writer, signal_id)["etag"]
    answer = send(writer, signal_id, {"outcome": "expired", "why": "too late"}, seen)
    assert answer.status_code == 412
    assert now in json.loads(answer.content)["detail"]
    assert get(writer, signal_id)["outcome"] == "win"


def test_without_if_match_nothing_is_changed(writer: Client) -> None:
    answer = send(writer, a_stored(), WIN, None)
    assert answer.status_code == 428
    assert "send the ETag" in faults(answer)["If-Match"]
    assert nothing_changed()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("*", 200),
        (" * ", 200),
        ("{tag}", 200),
        ('"other", {tag}', 200),
        ('W/"a",,{tag} , "b"', 200),
        ("W/{tag}", 412),
        ('"other"', 412),
        ('"*"', 412),
        ('"a", *', 412),
        ("{bare}", 422),
        ("", 422),
    ],
)
def test_if_match_is_read_as_http_has_it(writer: Client, header: str, status: int) -> None:
    """A list, weak tags, which match nothing, and the star (RFC 9110, 13.1.1)."""
    signal_id = a_stored()
    tag = get(writer, signal_id)["etag"]
    text = header.format(tag=tag, bare=tag.strip('"'))
    answer = send(writer, signal_id, WIN, text)
    assert answer.status_code == status, answer.content
    assert nothing_changed() is (status != 200)
    if status == 422:
        assert "quotes" in faults(answer)["If-Match"]


def test_a_field_that_is_left_out_stays_and_null_clears_it(writer: Client) -> None:
    signal_id = a_stored()
    patch(writer, signal_id)
    found = patch(writer, signal_id, {"exit_price": 159, "why": "a better fill"})
    assert (found["outcome"], found["exit_price"]) == ("win", 159.0)
    assert found["profit_loss_pct"] == pytest.approx(8.5 / 150.5 * 100)
    found = patch(writer, signal_id, {"outcome": "expired", "why": "its time was over"})
    assert (found["outcome"], found["exit_price"]) == ("expired", 159.0)
    found = patch(writer, signal_id, {"exit_price": None, "why": "there was no exit"})
    assert (found["outcome"], found["profit_loss_pct"]) == ("expired", None)
    found = patch(writer, signal_id, {"outcome": None, "why": "still open"})
    assert (found["outcome"], found["edited"]) == (None, True)


def test_the_same_values_again_change_nothing(writer: Client) -> None:
    signal_id = a_stored()
    first = patch(writer, signal_id)
    assert patch(writer, signal_id, WIN | {"why": "again"}, first["etag"]) == first
    assert OutcomeChange.objects.count() == 1


@pytest.mark.parametrize(
    ("edit", "fields"),
    [
        ({}, {"outcome", "why"}),
        ({"why": "nothing to change"}, {"outcome"}),
        ({"outcome": "win", "exit_price": 158}, {"why"}),
        (WIN | {"why": " \n"}, {"why"}),
        (WIN | {"why": None}, {"why"}),
        (WIN | {"why": 5}, {"why"}),
        (WIN | {"why": "x" * 1001}, {"why"}),
        (WIN | {"why": "a\0b"}, {"why"}),
        (WIN | {"outcome": "draw"}, {"outcome"}),
        (WIN | {"outcome": "WIN"}, {"outcome"}),
        (WIN | {"outcome": ""}, {"outcome"}),
        (WIN | {"outcome": True}, {"outcome"}),
        (WIN | {"outcome": ["win"]}, {"outcome"}),
        (WIN | {"exit_price": True}, {"exit_price"}),
        (WIN | {"exit_price": "158"}, {"exit_price"}),
        (WIN | {"exit_price": {}}, {"exit_price"}),
        (WIN | {"exit_price": 0}, {"exit_price"}),
        (WIN | {"exit_price": -1}, {"exit_price"}),
        (WIN | {"exit_price": 10**400}, {"exit_price"}),
        (WIN | {"exit_price": math.nan}, {"exit_price"}),
        (WIN | {"exit_price": math.inf}, {"exit_price"}),
        (WIN | {"exit_price": None}, {"exit_price"}),
        ({"outcome": "win", "why": "no price"}, {"exit_price"}),
        (WIN | {"exit_price": 150.5}, {"outcome"}),
        (WIN | {"exit_price": 146.0}, {"outcome"}),
        (WIN | {"outcome": "breakeven"}, {"outcome"}),
        (WIN | {"profit_loss_pct": 5.0}, {"profit_loss_pct"}),
        (WIN | {"order_id": "x", "\N{SNOWMAN}": 1}, {"order_id", "\N{SNOWMAN}"}),
        (
            {"outcome": "draw", "exit_price": "x", "more": 1},
            {"outcome", "exit_price", "more", "why"},
        ),
        ({"outcome": "loss", "exit_price": 158, "why": "", "more": 1}, {"outcome", "more", "why"}),
    ],
    ids=lambda value: "" if isinstance(value, set) else str(value)[:60],
)
def test_every_fault_is_named_and_nothing_is_changed(
    writer: Client, edit: dict[str, Any], fields: set[str]
) -> None:
    answer = send(writer, a_stored(), edit)
    assert answer.status_code == 422, answer.content
    assert set(faults(answer)) == fields
    assert nothing_changed()


def test_a_profit_that_no_number_can_hold_is_refused(writer: Client) -> None:
    signal_id = a_stored(entry_price=1e-6, target_price=1e-5, stop_price=1e-7)
    answer = send(writer, signal_id, WIN | {"exit_price": 1.7e308})
    assert "too far from the entry" in faults(answer)["exit_price"]


@pytest.mark.parametrize("body", ["", "nope", "[]", "5", '{"why": "\\ud800"}'])
def test_a_body_that_is_no_object_is_a_bad_request(writer: Client, body: str) -> None:
    answer = send(writer, a_stored(), body)
    assert answer.status_code == 400
    assert set(faults(answer)) == {"body"}


def test_any_text_may_be_a_reason(writer: Client) -> None:
    why = "<b>ü</b> '; DROP TABLE signals; --\n\x1b[31m \N{SNOWMAN}"
    signal_id = a_stored()
    patch(writer, signal_id, WIN | {"why": why})
    assert OutcomeChange.objects.get().why == why


@pytest.mark.parametrize("name", ["nope", "%00", "latest", "x" * 3000])
@pytest.mark.parametrize("below", ["", "/changes"])
def test_an_unknown_signal_is_not_found(writer: Client, name: str, below: str) -> None:
    assert writer.get(path_of(name) + below).status_code == 404
    assert send(writer, name, WIN).status_code == 404


def test_reading_needs_a_key_with_read_and_changing_one_with_write(
    reader: Client, client: Client
) -> None:
    signal_id = a_stored()
    assert client.get(path_of(signal_id)).status_code == 401
    assert send(client, signal_id, WIN).status_code == 401
    assert send(reader, signal_id, WIN).status_code == 403
    client.force_login(User.objects.create_superuser("clerk"))
    assert get(client, signal_id)["outcome"] is None
    assert send(client, signal_id, WIN).status_code == 401
    assert nothing_changed()


def test_what_a_position_decided_is_kept_beside_an_edit(writer: Client) -> None:
    signal_id = a_stored()
    why = "position closed: stop"
    record_outcome(
        signal_id, outcome="loss", exit_price=146.0, who=BY_POSITION, why=why, now=utc_now(),
        journal=journal(),
    )  # fmt: skip
    found = get(writer, signal_id)
    assert (found["decided_by_position"], found["edited"]) == (True, False)
    decided = found["position_decided"]
    assert (decided["outcome"], decided["exit_price"], decided["why"]) == ("loss", 146.0, why)
    assert decided["profit_loss_pct"] == found["profit_loss_pct"] < 0

    assert send(writer, signal_id, {"outcome": "win", "exit_price": 158.0}).status_code == 422
    edited = patch(writer, signal_id)
    assert (edited["outcome"], edited["decided_by_position"], edited["edited"]) == (
        "win",
        True,
        True,
    )
    assert edited["position_decided"] == decided


def test_a_position_decides_anew_what_was_cleared_before(writer: Client) -> None:
    signal_id = a_stored()
    patch(writer, signal_id)
    cleared = {"outcome": None, "exit_price": None, "why": "the trade goes on"}
    assert patch(writer, signal_id, cleared)["edited"] is True
    record_outcome(
        signal_id, outcome="loss", exit_price=146.0, who=BY_POSITION, why="t", now=utc_now(),
        journal=journal(), only_if_open=True,
    )  # fmt: skip
    found = get(writer, signal_id)
    assert (found["decided_by_position"], found["edited"]) == (True, False)


def test_a_change_of_an_imported_outcome_is_an_edit(writer: Client) -> None:
    signal_id = a_stored()
    Signal._base_manager.update(outcome="win", exit_price=158.0)
    assert get(writer, signal_id)["edited"] is False
    assert patch(writer, signal_id, {"exit_price": 159.0, "why": "a typo"})["edited"] is True


def test_an_imported_signal_without_a_valid_entry_price_gets_no_exit_price(writer: Client) -> None:
    signal_id = a_stored()
    Signal._base_manager.update(entry_price=0.0)
    assert "entry price is 0.0" in faults(send(writer, signal_id, WIN))["exit_price"]
    assert patch(writer, signal_id, {"outcome": "expired", "why": "old"})["outcome"] == "expired"


def test_changes_are_listed_oldest_first(writer: Client) -> None:
    signal_id = a_stored()
    assert writer.get(path_of(signal_id) + "/changes").json() == []
    patch(writer, signal_id)
    patch(writer, signal_id, {"exit_price": 159.0, "why": "a better fill"})
    first, second = writer.get(path_of(signal_id) + "/changes").json()
    assert (first["who"], first["why"]) == ("api:writer", "target reached")
    assert first["before"]["outcome"] is None
    assert first["after"] == second["before"]
    assert second["after"]["exit_price"] == 159.0


def test_the_documentation_lists_every_answer(client: Client) -> None:
    calls = client.get("/api/openapi.json").json()["paths"]["/api/signals/{signal_id}/outcome"]
    assert {"200", "304", "401", "403", "404", "412", "422", "429", "503"} == calls["get"][
        "responses"
    ].keys()
    refusals = {"400", "401", "403", "404", "408", "412", "413", "422", "428", "429", "503"}
    assert {"200", *refusals} == calls["patch"]["responses"].keys()
    named = {each["name"]: each["in"] for each in calls["patch"]["parameters"]}
    assert named == {"signal_id": "path", "If-Match": "header"}
    body = calls["patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"].keys() == {"outcome", "exit_price", "why"}
