"""Argo cosigns a checkpoint only if it continues the last one that it has cosigned."""

import hashlib
from collections.abc import Iterator

import pytest
from django.test import Client

from signals.clock import utc_now
from signals.models import WatchedLog
from signals.record.formats.checkpoints import cosigned_at, parse_checkpoint
from signals.record.formats.encoding import base64_text
from signals.record.formats.notes import Note, VerifierKey, parse_note, signature_line
from signals.record.signing import LogSigner
from signals.record.submission import Submission
from signals.witness import cosigning, keys, logs, problems
from tests.databases import DATABASES
from tests.execution.threads import on_database
from tests.signals.witness.logs import ORIGIN, OtherLog, add_checkpoint

pytestmark = pytest.mark.django_db(databases=DATABASES)
ADDRESS = f"/witness/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


@pytest.fixture(
    params=["default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    with on_database(request.param):
        yield request.param


@pytest.fixture
def witness() -> VerifierKey:
    return keys.make_key("argo.example/witness").key


@pytest.fixture
def log(witness: VerifierKey) -> OtherLog:
    """A log with five entries that the witness watches."""
    made = OtherLog()
    made.grow(5)
    logs.watch(str(made.signer.key), now=utc_now())
    return made


def refused(body: bytes) -> tuple[int, str]:
    answer = add_checkpoint(body)
    return answer.status_code, answer.content.decode()


@pytest.mark.usefixtures("database")
def test_what_continues_is_cosigned_and_shown(log: OtherLog, witness: VerifierKey) -> None:
    assert Client().get(ADDRESS).status_code == 404
    for old, size in ((0, 3), (3, 3), (3, 5)):
        answer = add_checkpoint(log.submission(old, size))
        assert answer.status_code == 200
        line = signature_line(answer.content.decode().removesuffix("\n"))
        note = parse_note(log.checkpoint(size))
        at = cosigned_at(Note(note.text, (line,)), witness)
        assert at == pytest.approx(utc_now().timestamp(), abs=60)
        shown = Client().get(ADDRESS)
        assert shown["Cache-Control"] == "no-store"
        assert parse_note(shown.content) == Note(note.text, (*note.signatures, line))


@pytest.mark.usefixtures("database")
def test_the_size_that_the_witness_knows_is_named(log: OtherLog) -> None:
    assert add_checkpoint(log.submission(0, 3)).status_code == 200
    for old in (0, 2, 4):
        answer = add_checkpoint(log.submission(old, 5))
        assert (answer.status_code, answer.content) == (409, b"3\n")
        assert answer["Content-Type"] == "text/x.tlog.size"


def test_an_unknown_log_is_refused(log: OtherLog) -> None:
    stranger = OtherLog(LogSigner("other.example", b"S" * 32))
    stranger.grow(1)
    assert refused(stranger.submission(0))[0] == 404


def test_a_checkpoint_without_a_known_signature_is_refused(log: OtherLog) -> None:
    forged = OtherLog(LogSigner(ORIGIN, b"F" * 32), log.leaves)
    assert refused(forged.submission(0))[0] == 403
    broken = log.checkpoint().replace(b"\n5\n", b"\n4\n")
    assert refused(Submission(0, (), broken).encoded())[0] == 403


def test_an_old_size_above_the_new_one_is_refused(log: OtherLog) -> None:
    assert refused(Submission(6, (), log.checkpoint()).encoded())[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 00\n\n%s",
        b"old -1\n\n%s",
        b"old 0\nAAAA\n\n%s",
        b"older\n\n%s",
        b"old 0\n\nnot a checkpoint\n",
        b"old 0\n" + b"7ZbFlZCLqg9Qr0WiYmGBLm0x4FxDzXKzjlo1eeOtCxE=\n" * 64 + b"\n%s",
        "old 0\n\u00e9\n\n".encode() + b"%s",
    ],
)
def test_what_cannot_be_read_is_refused_with_400(log: OtherLog, body: bytes) -> None:
    status, text = refused(body.replace(b"%s", log.checkpoint()))
    assert status == 400
    assert "cannot be read" in text


def test_a_wrong_proof_is_refused(log: OtherLog) -> None:
    assert refused(Submission(0, (b"x" * 32,), log.checkpoint()).encoded())[0] == 422
    assert add_checkpoint(log.submission(0, 3)).status_code == 200
    for proof in ((), log.proof(2, 5), log.proof(3, 5)[::-1]):
        assert refused(Submission(3, proof, log.checkpoint()).encoded())[0] == 422
    log.leaves[1] = b"y" * 32
    assert refused(log.submission(3))[0] == 422
    assert WatchedLog.objects.get().size == 3


@pytest.mark.usefixtures("database")
def test_two_roots_of_one_size_are_refused_and_kept_as_proof(log: OtherLog) -> None:
    assert add_checkpoint(log.submission(0)).status_code == 200
    honest = WatchedLog.objects.get().checkpoint
    log.leaves[0] = b"z" * 32
    assert refused(log.submission(5))[0] == 422
    kept = WatchedLog.objects.get()
    assert kept.checkpoint == honest
    assert kept.contradiction == log.checkpoint().decode()
    assert kept.contradicted_at is not None
    (problem,) = problems.problems(utc_now())
    assert (problem.kind.code, problem.about) == ("witness.two_histories", ORIGIN)


@pytest.mark.usefixtures("database")
def test_of_two_requests_that_continue_one_checkpoint_one_wins(
    log: OtherLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = OtherLog(log.signer, log.leaves[:3])
    other.grow(1, "another history")
    assert add_checkpoint(log.submission(0, 3)).status_code == 200
    read = cosigning._check_continued

    def meanwhile(*arguments: object) -> None:
        monkeypatch.setattr(cosigning, "_check_continued", read)
        assert add_checkpoint(other.submission(3)).status_code == 200
        read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(cosigning, "_check_continued", meanwhile)
    assert refused(log.submission(3)) == (409, "4\n")
    assert WatchedLog.objects.get().root == base64_text(parse_root(other))


def parse_root(log: OtherLog) -> bytes:
    return parse_checkpoint(parse_note(log.checkpoint()).text).root


def test_only_the_owner_of_a_key_makes_the_witness(log: OtherLog) -> None:
    keys.key_path().unlink()
    status, text = refused(log.submission(0))
    assert status == 404
    assert "witness --create" in text


def test_bodies_are_limited_and_other_methods_refused(log: OtherLog) -> None:
    assert refused(log.submission(0) + b"x" * 70_000)[0] == 413
    answer = Client().get("/witness/add-checkpoint")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert Client().post(ADDRESS).status_code == 405
    assert Client().get("/witness/nothing/checkpoint").status_code == 404


@pytest.mark.usefixtures("database")
def test_a_removed_log_is_not_forgotten(log: OtherLog) -> None:
    assert add_checkpoint(log.submission(0, 3)).status_code == 200
    logs.unwatch(ORIGIN, now=utc_now())
    assert refused(log.submission(3))[0] == 404
    logs.watch(str(log.signer.key), now=utc_now())
    assert refused(log.submission(0)) == (409, "3\n")
    assert add_checkpoint(log.submission(3)).status_code == 200


def test_a_log_may_change_its_key(log: OtherLog) -> None:
    new = OtherLog(LogSigner(ORIGIN, b"N" * 32), log.leaves)
    assert add_checkpoint(log.submission(0, 3)).status_code == 200
    assert refused(new.submission(3))[0] == 403
    logs.watch(str(new.signer.key), now=utc_now())
    assert add_checkpoint(new.submission(3, 4)).status_code == 200
    logs.unwatch(str(log.signer.key), now=utc_now())
    assert refused(log.submission(4))[0] == 403
    assert add_checkpoint(new.submission(4)).status_code == 200
