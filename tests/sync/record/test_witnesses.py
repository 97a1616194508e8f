"""Witnesses cosign the owner's checkpoints; what they answer is checked, kept, and marked."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from signals.models import RecordCheckpoint, RecordCosignature, RecordEntry
from signals.record.formats.checkpoints import digest_of_checkpoint
from signals.record.log.refusals import UNASKED, RecordRefused
from signals.record.proving.checkpoints import latest_witnessed
from signals.record.submission import parse_submission
from signals.record.witnessing.marking import load_kept
from sync.models import RecordSubmission
from sync.record import seen
from sync.record.running import Runner
from tests.signals.record.log.helpers import ORIGIN, entries
from tests.sync.record.conftest import Owner, codes
from tests.sync.record.witness_server import Witness, fixed

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_checkpoint_is_cosigned_kept_shown_and_marked(
    owner: Owner, witnesses: list[Witness]
) -> None:
    assert owner.round(1, 2).delivered == 2
    found = latest_witnessed()
    assert found is not None
    assert found.witnesses == {each.signer.key.name for each in witnesses}
    digest = digest_of_checkpoint(found.note.encoded())
    assert entries("default")[-1].digest == digest
    folder = owner.folder / "record"
    assert (folder / "checkpoints" / digest).read_bytes() == found.note.encoded()
    assert (folder / "checkpoint").read_bytes() == found.note.encoded()
    assert owner.round(3).delivered == 2
    assert [parse_submission(each.bodies[-1]).old for each in witnesses] == [4, 4]
    assert codes(owner) == []


def test_a_round_is_hourly_or_on_command_and_never_within_a_minute(
    owner: Owner, witnesses: list[Witness]
) -> None:
    owner.round(1)
    owner.enter(2)
    owner.publish()
    runner = Runner(clock=owner.clock)
    assert runner.witness(at_once=True).delivered == 0
    owner.clock.ahead += timedelta(seconds=61)
    assert runner.witness().delivered == 0
    assert runner.witness(at_once=True).delivered == 2
    owner.clock.ahead += timedelta(hours=2)
    owner.publish()
    assert runner.witness().delivered == 0, "only a mark was entered since"
    assert [len(each.bodies) for each in witnesses] == [2, 2]


def test_what_a_witness_knows_is_where_the_proof_begins(
    owner: Owner, witnesses: list[Witness]
) -> None:
    owner.round(1, 2)
    RecordCosignature.objects.all().delete()  # as after a rebuild
    RecordCheckpoint.objects.update(is_marked=False)
    assert owner.round(3).delivered == 2
    olds = [parse_submission(body).old for body in witnesses[0].bodies]
    assert olds == [0, 0, 4]


def test_after_a_rebuild_the_kept_checkpoints_are_known_again(owner: Owner) -> None:
    owner.round(1)
    before = latest_witnessed()
    owner.round(2)
    RecordCheckpoint.objects.all().delete()
    owner.publish()
    assert load_kept() == 2
    found = RecordCheckpoint.objects.order_by("size")[0]
    assert before is not None
    assert (found.size, found.is_marked, found.cosignatures.count()) == (before.size, True, 2)


def test_an_older_copy_signs_nothing_that_witnesses_have_seen_differently(
    owner: Owner, witnesses: list[Witness], settings: Settings
) -> None:
    owner.round(1)
    assert {each.size for each in seen.checkpoints(ORIGIN)} == {3}
    settings.RECORD_WITNESSES_NEEDED = 2
    settings.RECORD_WITNESSES = [
        witnesses[0].named,
        f"{witnesses[1].signer.key} http://127.0.0.1:1",
    ]
    assert len(seen.checkpoints(ORIGIN)) == 1
    settings.RECORD_WITNESSES_NEEDED = 1
    with pytest.raises(RecordRefused) as refused:
        seen.checkpoints(ORIGIN)
    assert refused.value.kind is UNASKED


def test_only_the_owner_asks(owner: Owner, witnesses: list[Witness], settings: Settings) -> None:
    owner.enter(1)
    owner.publish()
    settings.RECORD_ORIGIN = ""
    assert Runner(clock=owner.clock).witness().delivered == 0
    assert witnesses[0].bodies == []
    assert codes(owner) == []


def test_a_person_asks_at_once(
    owner: Owner, witnesses: list[Witness], capsys: pytest.CaptureFixture[str]
) -> None:
    owner.enter(1)
    call_command("record", "--witness-now", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["cosigned"], found["needed"], found["is_new_round"]) == (2, 1, True)
    assert set(found["witnesses"]) == {each.signer.key.name for each in witnesses}
    call_command("record", "--witness-now", "--json")
    assert json.loads(capsys.readouterr().out)["is_new_round"] is False
    witnesses[0].answer = lambda body: fixed(404)
    owner.round(2)
    with pytest.raises(CommandError, match=r"do not cosign: witness\.example") as raised:
        call_command("record", "--witness-now")
    assert raised.value.returncode == 1


def test_an_answer_that_was_lost_is_asked_for_again(
    owner: Owner, witnesses: list[Witness], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process ends here."""

    def killed(*_: object) -> int:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("sync.record.witnesses.store_cosignatures", killed)
        with pytest.raises(BaseException):  # noqa: B017, PT011  # however it ends
            owner.round(1)
    assert not RecordCosignature.objects.exists()
    owner.clock.ahead += timedelta(minutes=5)  # the lease is over
    assert Runner(clock=owner.clock).witness().delivered == 2
    assert [parse_submission(body).old for body in witnesses[0].bodies] == [0, 0, 3]
    assert latest_witnessed() is not None


def test_a_checkpoint_older_than_what_a_witness_knows_is_left_alone(
    owner: Owner, witnesses: list[Witness]
) -> None:
    owner.round(1)
    owner.round(2)
    first = RecordSubmission.objects.order_by("pk")[0]
    RecordCosignature.objects.filter(checkpoint__size=first.size).delete()
    RecordSubmission.objects.filter(pk=first.pk).update(status="pending")
    assert Runner(clock=owner.clock).witness().delivered == 1
    first.refresh_from_db()
    assert (first.status, first.last_status) == ("delivered", 409)
    assert codes(owner) == []


def test_a_witness_that_cosigns_again_has_one_signature(
    owner: Owner, witnesses: list[Witness]
) -> None:
    owner.round(1)
    before = list(RecordCosignature.objects.values_list("line", flat=True))
    for _ in range(4):
        RecordSubmission.objects.update(status="pending")
        owner.clock.ahead += timedelta(minutes=2)
        assert Runner(clock=owner.clock).witness().delivered == 2
    assert list(RecordCosignature.objects.values_list("line", flat=True)) == before


def test_a_mark_that_was_not_entered_is_entered_once(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise OSError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr("signals.record.witnessing.marking.enter_mark", killed)
        with pytest.raises(OSError, match="ends here"):
            owner.round(1)
    assert load_kept() == 0, "it has no mark yet"
    assert not RecordCheckpoint.objects.filter(is_marked=True).exists()
    for _ in range(2):
        Runner(clock=owner.clock).witness()
    assert RecordEntry.objects.filter(kind="mark").count() == 1
    assert len(list((owner.folder / "record/checkpoints").iterdir())) == 1
