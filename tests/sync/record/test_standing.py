"""The status and the admin page show what became of checkpoints at witnesses and authorities."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from signals.clock import utc_now
from signals.models import RecordCheckpoint
from signals.record.timestamps import stamp_request
from sync.models import RecordSubmission
from sync.record import stamps
from sync.record.running import Runner
from sync.record.standing import standing
from tests.signals.record.authority import Authority
from tests.sync.record.conftest import Owner
from tests.sync.record.witness_server import Witness, fixed


def status(*arguments: str) -> str:
    out = StringIO()
    call_command("record", "--status", *arguments, stdout=out)
    return out.getvalue()


def shown() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(status("--json"))
    return found


def test_each_witness_is_shown_with_what_it_cosigned_last(
    owner: Owner, witnesses: list[Witness]
) -> None:
    assert [each["size"] for each in shown()["witnesses"]] == [0, 0]
    assert status().count("has cosigned nothing yet") == 2
    owner.round(1)
    found = shown()["witnesses"]
    assert [each["name"] for each in found] == [each.signer.key.name for each in witnesses]
    assert [each["size"] for each in found] == [3, 3]
    assert all(each["at"] and not each["disagrees"] for each in found)
    assert status().count("cosigned 3 entries at 20") == 2


def test_a_witness_that_disagrees_or_is_away_is_shown_with_its_answer(
    owner: Owner, witnesses: list[Witness]
) -> None:
    owner.round(1)
    witnesses[0].answer = lambda body: fixed(422)
    witnesses[1].answer = lambda body: fixed(503)
    owner.round(2)
    first, second = shown()["witnesses"]
    assert (first["disagrees"], first["state"], first["size"]) == (True, "dead", 3)
    assert (second["disagrees"], second["state"], second["size"]) == (False, "pending", 3)
    assert second["next_try"]
    text = status()
    assert "DISAGREES: 422, it has seen other entries" in text
    assert "pending: 503" in text
    assert "next try at" in text


def test_each_authority_is_shown_with_its_last_stamp(
    owner: Owner,
    settings: Settings,
    tmp_path_factory: Any,  # noqa: ANN401
) -> None:
    url = "https://tsa.example/tsr"
    settings.RECORD_STAMP_AUTHORITIES = [url]
    assert "https://tsa.example/tsr has stamped nothing yet" in status()
    owner.round(1)
    row = RecordCheckpoint.objects.order_by("size")[0]
    answer = Authority(tmp_path_factory.mktemp("tsa")).stamp(stamp_request(b"x").data)
    stamps.keep(url, row, answer)
    (found,) = shown()["stamps"]
    assert (found["url"], found["size"]) == (url, row.size)
    assert abs(utc_now() - standing()["stamps"][0]["at"]) < timedelta(hours=1)
    assert f"stamped {row.size} entries at 20" in status()


def test_a_machine_that_does_not_sign_shows_none(owner: Owner, settings: Settings) -> None:
    owner.round(1)
    settings.RECORD_ORIGIN = ""
    assert (shown()["witnesses"], shown()["stamps"]) == ([], [])


def test_the_admin_page_lists_what_was_sent_and_when_it_is_tried_again(
    owner: Owner, witnesses: list[Witness], admin_client: Client
) -> None:
    witnesses[0].answer = lambda body: fixed(503)
    owner.round(1)
    rows = RecordSubmission.objects.order_by("pk")
    assert {each.status for each in rows} == {"pending", "delivered"}
    url = reverse("admin:sync_recordsubmission_changelist")
    page = admin_client.get(url).content.decode()
    assert "Witnesses and time stamps" in page
    assert all(each.signer.key.name in page for each in witnesses)
    assert "503" in page
    waiting = admin_client.get(url, {"status__exact": "pending"}).content.decode()
    assert (witnesses[0].signer.key.name in waiting, witnesses[1].signer.key.name in waiting) == (
        True, False,
    )  # fmt: skip
    one = reverse("admin:sync_recordsubmission_change", args=[rows[0].pk])
    assert admin_client.get(one).status_code == 200
    assert admin_client.post(one, {"size": "5"}).status_code == 403
    assert Runner(clock=owner.clock).stamp().delivered == 0
