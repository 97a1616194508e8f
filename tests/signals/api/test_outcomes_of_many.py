"""POST /api/signals/outcomes: each edit is made or refused by itself, in order."""

import json
from typing import Any

import pytest
from django.test import Client

from signals.api.outcomes import MANY, MANY_LIMIT
from signals.models import OutcomeChange, Signal
from tests.signals.api.outcomes import JSON, WIN, a_stored, faults, get, patch

pytestmark = pytest.mark.django_db


def post(client: Client, body: object) -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = client.post(MANY, text, content_type=JSON)
    found: dict[str, Any] = answer.json()
    return answer.status_code, found


def results(answer: dict[str, Any]) -> list[tuple[str, int, str | None]]:
    return [(each["status"], each["code"], each["signal_id"]) for each in answer["results"]]


def test_each_is_made_or_refused_by_itself_in_order(writer: Client) -> None:
    one, two, three = a_stored(), a_stored(), a_stored()
    patch(writer, three)
    edits = [
        WIN | {"signal_id": one},
        WIN | {"signal_id": two, "exit_price": 146.0, "why": ""},
        WIN | {"signal_id": "nope"},
        5,
        WIN | {"signal_id": three},
        {"signal_id": two, "outcome": "expired", "why": "too old"},
        WIN,
    ]
    status, answer = post(writer, edits)
    assert status == 200
    assert results(answer) == [
        ("changed", 200, one),
        ("refused", 422, two),
        ("refused", 404, "nope"),
        ("refused", 422, None),
        ("unchanged", 200, three),
        ("changed", 200, two),
        ("refused", 422, None),
    ]
    assert [answer[name] for name in ("changed", "unchanged", "refused")] == [2, 1, 4]
    errors = [{each["field"] for each in result["errors"]} for result in answer["results"]]
    assert errors == [set(), {"outcome", "why"}, {"signal_id"}, {"outcome"}, set(), set(),
                      {"signal_id"}]  # fmt: skip
    assert answer["results"][0]["outcome"] == get(writer, one)
    assert {change.who for change in OutcomeChange.objects.all()} == {"api:writer"}


def test_one_edit_on_each_line(writer: Client) -> None:
    one, two = (json.dumps(WIN | {"signal_id": a_stored()}) for _ in range(2))
    status, answer = post(writer, f"{one}\n\nnope\n{two}\n")
    assert (status, answer["changed"], answer["refused"]) == (200, 2, 1)
    assert answer["results"][1]["code"] == 400


def test_an_edit_with_an_etag_overwrites_nothing_that_was_not_seen(writer: Client) -> None:
    one, two = a_stored(), a_stored()
    seen = {each: get(writer, each)["etag"] for each in (one, two)}
    patch(writer, one)
    edits = [
        {"signal_id": each, "outcome": "expired", "why": "t", "etag": seen[each]}
        for each in (one, two, two)
    ]
    assert results(post(writer, edits)[1]) == [
        ("refused", 412, one),
        ("changed", 200, two),
        ("refused", 412, two),
    ]
    weak = edits[0] | {"etag": f"W/{get(writer, one)['etag']}"}
    star = edits[0] | {"etag": "*"}
    assert [each[1] for each in results(post(writer, [weak, star])[1])] == [412, 200]


@pytest.mark.parametrize("edit", [
    {"etag": "bare"}, {"etag": 5}, {"signal_id": 5}, {"signal_id": None},
], ids=str)  # fmt: skip
def test_a_bad_id_or_etag_is_named_with_the_other_faults(
    writer: Client, edit: dict[str, Any]
) -> None:
    status, answer = post(writer, [WIN | {"signal_id": a_stored(), "more": 1} | edit])
    assert status == 422
    (result,) = answer["results"]
    assert {each["field"] for each in result["errors"]} == {*edit, "more"}


def test_if_every_edit_is_refused_the_answer_is_too(writer: Client) -> None:
    assert post(writer, [WIN | {"signal_id": "nope"}])[0] == 422
    assert not OutcomeChange.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "[1,", " \n "])
def test_a_body_that_cannot_be_read_is_a_bad_request(writer: Client, body: str) -> None:
    answer = writer.post(MANY, body, content_type=JSON)
    assert answer.status_code == 400
    assert set(faults(answer)) == {"body"}


def test_the_number_of_edits_is_limited(writer: Client) -> None:
    edits = [WIN | {"signal_id": a_stored()}] * (MANY_LIMIT + 1)
    status, answer = post(writer, edits)
    assert (status, str(MANY_LIMIT) in answer["detail"]) == (400, True)
    assert Signal.objects.get().outcome is None


def test_outcomes_is_no_signal_id(writer: Client, reader: Client) -> None:
    assert writer.put(MANY).status_code == 405
    assert reader.get(MANY).json()["items"] == []
    answer = reader.post(MANY, json.dumps([WIN]), content_type=JSON)
    assert answer.status_code == 403
