"""Witnesses that refuse, lie, answer 409 or 422, or are gone: each is named, none is believed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django import Settings

from signals.models import RecordCosignature, RecordEntry, RecordHead
from signals.record.formats.checkpoints import Checkpoint
from signals.record.formats.encoding import base64_bytes
from signals.record.formats.notes import SignatureLine, parse_note
from signals.record.formats.tree import leaf_hash
from signals.record.log.keys import KeyFiles
from signals.record.log.refusals import RecordRefused
from signals.record.proving.checkpoints import latest_witnessed
from signals.record.signing import LogSigner, WitnessSigner, signed_note
from signals.record.submission import SIZE_TYPE, parse_submission
from sync.models import RecordSubmission
from sync.record import problems
from tests.signals.record.log.helpers import ORIGIN
from tests.sync.record.conftest import Owner, codes, states
from tests.sync.record.witness_server import Reply, Witness, fixed

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_witness_that_answers_409_for_ever_is_named(
    owner: Owner, witnesses: list[Witness]
) -> None:
    witnesses[0].answer = lambda body: fixed(409, b"9999\n", SIZE_TYPE)
    assert owner.round(1).delivered == 1
    assert ("dead", 409) in states()
    witnesses[0].answer = lambda body: fixed(409, b"x\n", SIZE_TYPE)
    assert owner.round(2).delivered == 1
    assert codes(owner) == ["record.witness_disagrees"]
    witnesses[0].answer = None
    assert owner.round(3).delivered == 2
    assert codes(owner) == []


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_a_problem_until_the_witness_cosigns(
    owner: Owner, witnesses: list[Witness], status: int
) -> None:
    witnesses[1].answer = lambda body: fixed(status, b"who are you?\n")
    assert owner.round(1).delivered == 1
    (problem,) = problems.problems(owner.clock())
    assert problem.kind.code == "record.witness_refuses"
    assert f"{status}, " in problem.sentence
    assert "who are you?" in problem.sentence
    witnesses[1].answer = None
    owner.round(2)
    assert codes(owner) == []


def test_a_witness_that_lies_is_named_and_nothing_is_believed(
    owner: Owner, witnesses: list[Witness]
) -> None:
    def other_text(body: bytes) -> Reply:
        line = witnesses[0].signer.cosign("other.example\n1\nx\n", int(owner.clock.seconds()))
        return fixed(200, f"{line}\n".encode())

    def another_time(body: bytes) -> Reply:
        text = parse_note(parse_submission(body).checkpoint).text
        return fixed(200, f"{witnesses[0].signer.cosign(text, 1_000_000)}\n".encode())

    def by(signer: WitnessSigner) -> Callable[[bytes], Reply]:
        def reply(body: bytes) -> Reply:
            text = parse_note(parse_submission(body).checkpoint).text
            return fixed(200, f"{signer.cosign(text, int(owner.clock.seconds()))}\n".encode())

        return reply

    another_key = WitnessSigner(witnesses[0].signer.key.name, b"x" * 32)
    lies = (other_text, another_time, lambda body: fixed(200, b"what?\n"),
            lambda body: fixed(200, b""), by(witnesses[1].signer), by(another_key))  # fmt: skip
    for number, lie in enumerate(lies):
        witnesses[0].answer = lie
        assert owner.round(number).delivered == 1
        assert codes(owner) == ["record.witness_refuses"]
    assert not RecordCosignature.objects.filter(witness=witnesses[0].signer.key.name).exists()


def test_an_answer_without_end_is_not_read(owner: Owner, witnesses: list[Witness]) -> None:
    witnesses[0].answer = lambda body: fixed(200, b"\xff" * 70_000)
    assert owner.round(1).delivered == 1
    assert "more than 65536 bytes" in RecordSubmission.objects.get(status="pending").last_answer


def test_a_witness_that_says_422_is_believed_only_with_proof(
    owner: Owner, witnesses: list[Witness]
) -> None:
    owner.round(1)
    witnesses[0].answer = lambda body: fixed(422, b"another root\n")
    owner.round(2)
    assert codes(owner) == ["record.witness_disagrees"]
    fork = Checkpoint(ORIGIN, 3, leaf_hash(b"another history"))
    witnesses[0].note = signed_note(fork, LogSigner(ORIGIN, b"F" * 32)).encoded()
    owner.round(3)
    assert RecordHead.objects.get().stopped == "", "anybody can sign with another key"
    witnesses[0].note = signed_note(fork, KeyFiles(owner.folder, ORIGIN).current()).encoded()
    owner.round(4)
    assert "the first 3 differ" in RecordHead.objects.get().stopped
    with pytest.raises(RecordRefused):
        owner.publish()


def test_a_witness_that_is_gone_for_a_week_costs_nothing_and_comes_back(
    owner: Owner, witnesses: list[Witness], settings: Settings
) -> None:
    settings.RECORD_WITNESSES = [
        witnesses[0].named,
        f"{witnesses[1].signer.key} http://127.0.0.1:1/away",
    ]
    for day in range(7):
        assert owner.round(day).delivered == 1
        owner.clock.ahead += timedelta(hours=23)
    assert codes(owner) == ["record.witness_silent"]
    assert RecordSubmission.objects.exclude(status="delivered").count() == 1
    assert RecordEntry.objects.filter(kind="mark").count() == 7
    settings.RECORD_WITNESSES = [each.named for each in witnesses]
    assert owner.round(8).delivered == 2
    assert codes(owner) == []


def test_too_few_witnesses_for_long_are_a_problem(
    owner: Owner, witnesses: list[Witness], settings: Settings
) -> None:
    settings.RECORD_WITNESSES_NEEDED = 2
    witnesses[1].answer = lambda body: fixed(503)
    for number in range(6):
        owner.round(number)
    assert "record.unwitnessed" in codes(owner)
    assert latest_witnessed() is None
    assert not RecordEntry.objects.filter(kind="mark").exists()


def test_lines_of_other_types_are_kept_and_not_verified(
    owner: Owner, witnesses: list[Witness]
) -> None:
    name = witnesses[0].signer.key.name

    def two(body: bytes) -> Reply:
        status, kind, line = witnesses[0].honest(body)
        return status, kind, line + f"{SignatureLine(name, b'abcd', b'quantum')}\n".encode()

    witnesses[0].answer = two
    owner.round(1)
    kept = RecordCosignature.objects.get(time=None)
    assert (kept.witness, base64_bytes(kept.line.split(" ")[2])[:4]) == (name, b"abcd")
    found = latest_witnessed()
    assert found is not None
    assert kept.line in found.note.encoded().decode()
    assert not owner.verified().faults
