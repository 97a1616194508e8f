"""A signal's page and the API say where the signal is in the record, and when it was made."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from signals.clock import utc_now
from signals.keys import create_key
from signals.ledger.queries import row_of
from signals.models import RecordEntry
from signals.record.formats.policy import parse_policy
from signals.record.proving.period import Maker
from signals.record.proving.place import Place, place_of
from signals.record.proving.revealing import shows
from signals.record.verifier.check import Asked
from signals.record.verifier.cli import verify
from tests.signals.record.proving.conftest import Owner


def found(signal_id: str) -> Place:
    place = place_of(row_of(signal_id))
    assert place is not None
    return place


def test_a_signal_is_bracketed_by_what_witnesses_have_signed(owner: Owner) -> None:
    early, late = owner.enter(1, 2), owner.cosign(0, 1)
    (between,) = owner.enter(3)
    owner.cosign(1, 2)
    (after,) = owner.enter(4)
    first, second, last = found(early[0]), found(between), found(after)
    assert first.made_after is None
    assert first.signed_size is not None
    assert first.signed_size <= late
    assert first.existed_by is not None
    assert second.made_after is not None
    assert second.existed_by is not None
    assert first.existed_by <= second.made_after <= second.existed_by
    assert last.made_after is not None
    assert (last.signed_size, last.existed_by) == (None, None)


def test_too_few_witnesses_prove_nothing(owner: Owner) -> None:
    ids = owner.enter(1)
    owner.cosign(0)
    assert found(ids[0]).existed_by is None
    assert found(ids[0]).signed_size is not None
    (later,) = owner.enter(2)
    assert found(later).made_after is None


def test_it_says_the_same_as_the_verifier(owner: Owner, tmp_path: Path) -> None:
    ids = [*owner.enter(1)]
    owner.cosign(0, 1)
    ids += owner.enter(2, 3)
    owner.cosign(0, 1, 2)
    data, _ = Maker([owner.journal]).make(datetime(1970, 1, 1, tzinfo=UTC), utc_now(), shows("all"))
    (tmp_path / "bundle.zip").write_bytes(data)
    report = verify(str(tmp_path / "bundle.zip"), Asked(parse_policy(owner.policy())))
    assert not report.faults
    for each in report.facts["signals"]:
        place = found(each["signal_id"])
        assert place.entry == each["index"]
        assert _text(place.made_after) == each["made_after"]
        assert _text(place.existed_by) == each["existed_by"]


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def test_the_api_and_the_page_show_it(owner: Owner, client: Client) -> None:
    ids = owner.enter(1)
    owner.cosign(0, 1)
    headers = {"X-API-Key": create_key("reader", ["read"])}
    answer = client.get(f"/api/signals/{ids[0]}/record", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["kind"] == "signal"
    assert answer.json()["existed_by"] is not None
    client.force_login(User.objects.create_superuser("boss"))
    page = client.get("/signals/", {"id": ids[0]}).content.decode()
    assert f"Entry {answer.json()['entry']}, in the checkpoint of" in page


def test_without_a_record_there_is_no_place(owner: Owner, client: Client) -> None:
    (signal_id,) = owner.log(1)
    owner.flush()
    assert place_of(row_of(signal_id)) is None
    headers = {"X-API-Key": create_key("reader", ["read"])}
    answer = client.get(f"/api/signals/{signal_id}/record", headers=headers)
    assert answer.status_code == 404
    assert "not in a public record" in answer.json()["detail"]


def test_a_machine_without_the_records_folder_finds_the_mark_in_the_database(
    owner: Owner, settings: Settings, tmp_path: Path
) -> None:
    owner.enter(1)
    owner.cosign(0, 1)
    (signal_id,) = owner.enter(2)
    before = found(signal_id)
    settings.DATA_DIR = tmp_path / "elsewhere"
    assert found(signal_id) == before
    assert before.made_after is not None


@pytest.mark.django_db
def test_the_last_mark_is_found_by_an_index(owner: Owner) -> None:
    rows = RecordEntry.objects.filter(kind="mark", pk__lt=100).order_by("-pk")[:1]
    assert "record_marks" in rows.explain()
