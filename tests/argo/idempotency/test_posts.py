"""A POST that is sent again with its Idempotency-Key is answered as before, and acts once."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, transaction
from django.test import Client
from pytest_django import Settings

from argo.idempotency import answers, posts
from argo.models import IdempotentAnswer
from argo.tasks import sample
from execution.accounts.halts import latch
from execution.models import Halt
from signals.clock import utc_now
from signals.keys import create_key, revoke
from signals.models import Act
from tests.databases import both_databases
from tests.execution.threads import in_threads, on_database
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
NAMES = ["default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
HALT, LIFT = "/api/execution/halt", "/api/execution/resume"


@pytest.fixture
def client(db: None) -> Client:
    return Client(headers={"X-API-Key": create_key("desk", ["write", "trade", "read"])})


def post(client: Client, path: str, body: object, key: str = KEY) -> "Answer":
    answer = client.post(
        path, body, content_type="application/json", headers={"Idempotency-Key": key}
    )
    return answer.status_code, answer.content, answer.get(posts.REPLAYED)


Answer = tuple[int, bytes, str | None]


def test_the_same_post_gets_the_same_answer_and_acts_once(client: Client) -> None:
    post(client, HALT, {"why": "maintenance"}, "first")
    code, body, replayed = post(client, LIFT, {"why": "done"})
    assert (code, body, replayed) == (200, b'{"lifted": 1}', None)
    assert post(client, LIFT, {"why": "done"}) == (200, body, "true")
    assert post(client, LIFT, {"why": "done"}, f'"{KEY}"') == (200, body, "true")
    assert Halt.objects.filter(lifted_at=None).count() == 0


def test_another_body_or_address_with_the_same_key_is_refused(client: Client) -> None:
    assert post(client, HALT, {"why": "a"})[0] == 200
    for path, body in ((HALT, {"why": "b"}), (f"{HALT}?a=1", {"why": "a"}), (LIFT, {"why": "a"})):
        code, content, _ = post(client, path, body)
        assert code == 422
        assert b"Idempotency-Key" in content
        assert b"use a new key" in content


def test_each_key_of_the_api_has_keys_of_its_own(client: Client) -> None:
    other = Client(headers={"X-API-Key": create_key("other", ["trade"])})
    assert post(client, HALT, {"why": "a"})[0] == 200
    assert post(other, HALT, {"why": "b"})[::2] == (200, None)


def test_a_revoked_key_gets_no_answer_of_the_past(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create_key("gone", ["trade"])
    gone = Client(headers={"X-API-Key": made})
    assert post(gone, HALT, {"why": "a"})[0] == 200
    revoke(made, utc_now())
    monkeypatch.setattr("signals.keys.int", lambda _: -1, raising=False)  # another second
    assert post(gone, HALT, {"why": "a"})[0] == 401


def test_while_the_first_is_not_answered_the_second_is_told_to_wait(client: Client) -> None:
    assert post(client, HALT, {"why": "a"})[0] == 200
    IdempotentAnswer.objects.update(code=None)
    answer = client.post(
        HALT, {"why": "a"}, content_type="application/json", headers={"Idempotency-Key": KEY}
    )
    assert answer.status_code == 409
    assert 0 < int(answer["Retry-After"]) <= 60
    assert answer.json()["errors"] == []


@pytest.mark.parametrize("age", [answers.LEASE, -timedelta(hours=1)], ids=["old", "ahead"])
def test_what_a_killed_process_has_done_is_said_and_not_done_again(
    client: Client, age: timedelta
) -> None:
    assert post(client, HALT, {"why": "a"})[0] == 200
    IdempotentAnswer.objects.update(code=None, claimed_at=utc_now() - age)
    assert post(client, LIFT, {"why": "b"}, "other")[0] == 200
    code, body, replayed = post(client, HALT, {"why": "a"})
    assert (code, replayed) == (409, "true")
    assert b"the request was done at" in body
    assert b"its answer was lost" in body
    assert post(client, HALT, {"why": "a"}) == (code, body, replayed)
    assert not Halt.objects.filter(lifted_at=None).exists()


def test_what_a_killed_process_has_not_done_yet_is_done(client: Client) -> None:
    assert post(client, HALT, {"why": "a"})[0] == 200
    IdempotentAnswer.objects.update(code=None, claimed_at=utc_now() - answers.LEASE)
    Halt.objects.all().delete()
    Act.objects.all()._raw_delete("default")  # it had claimed its key, and died before it acted
    assert post(client, HALT, {"why": "a"})[::2] == (200, None)
    assert post(client, HALT, {"why": "a"})[::2] == (200, "true")


def test_a_process_that_is_slower_than_its_lease_does_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one has taken the request over: what the first does now would be done twice."""

    def slow(*args: object, **named: object) -> Halt:
        IdempotentAnswer.objects.update(claimed_at=utc_now())
        return latch(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("execution.accounts.halts.latch", slow)
    code, body, _ = post(client, HALT, {"why": "a"})
    assert (code, b"another process answers it" in body) == (409, True)
    assert not Halt.objects.exists()
    assert IdempotentAnswer.objects.count() == 1, "it is the other process's"


def test_a_refused_or_failed_post_leaves_its_key_free(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(client, LIFT, {"why": "a"})[0] == 409
    assert post(client, "/api/signals", {"symbol": "A"})[0] == 422
    monkeypatch.setattr("execution.accounts.halts.latch", lambda *_, **__: 1 / 0)
    assert post(client, HALT, {"why": "a"})[0] == 500
    monkeypatch.undo()
    assert post(client, HALT, {"why": "a"})[::2] == (200, None)


def test_an_answer_that_cannot_be_kept_is_still_given(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr(posts, "keep", fails)
    assert post(client, HALT, {"why": "a"})[0] == 200
    assert "was not kept: disk full" in caplog.text


@pytest.mark.parametrize("key", ["", '"', '"a', "a b", "é", "a" * 256, '""', "a\\b"])
def test_what_is_no_key_is_refused(client: Client, key: str) -> None:
    code, content, _ = post(client, HALT, {"why": "a"}, key)
    assert (code, b"1 to 255 visible" in content) == (400, True)
    assert not Halt.objects.exists()


def test_signals_are_answered_as_before(client: Client) -> None:
    signal = a_signal()
    first = post(client, "/api/signals", signal)
    assert first[0] == 202
    assert post(client, "/api/signals", signal) == (*first[:2], "true")


def test_without_the_header_nothing_is_kept(client: Client) -> None:
    assert client.post(HALT, {"why": "a"}, content_type="application/json").status_code == 200
    assert not IdempotentAnswer.objects.exists()


def test_answers_are_forgotten_after_their_time(client: Client, settings: Settings) -> None:
    settings.IDEMPOTENCY_HOURS = 2
    post(client, HALT, {"why": "a"}, "new")
    post(client, HALT, {"why": "a"}, "old")
    old = IdempotentAnswer.objects.filter(key="old")
    old.update(claimed_at=utc_now() - timedelta(hours=2, seconds=1))
    assert post(client, HALT, {"why": "b"}, "old")[::2] == (200, None)
    old.update(claimed_at=utc_now() - timedelta(hours=2, seconds=1))
    sample()
    assert [row.key for row in IdempotentAnswer.objects.all()] == ["new"]
    assert "new" in str(IdempotentAnswer.objects.get())


@both_databases
@pytest.mark.parametrize("name", NAMES)
def test_a_claim_that_was_taken_over_is_no_claim_any_more(name: str) -> None:
    now = utc_now()
    with on_database(name):
        first = answers.claim("caller", "key", "request", now)
        second = answers.claim("caller", "key", "request", now + answers.LEASE)
        assert isinstance(first, answers.Claim)
        assert isinstance(second, answers.Claim)
        assert (first.name, first.is_repeat) == (second.name, False)
        assert (second.began_at, second.is_repeat) == (first.at, True)
        with transaction.atomic():
            answers.confirm(second)
        with pytest.raises(answers.TakenOver), transaction.atomic():
            answers.confirm(first)
        answers.keep(first, 200, b"late")
        answers.keep(second, 201, b"body")
        assert answers.claim("caller", "key", "request", now) == answers.Kept(201, b"body")
        later = now + timedelta(hours=25)
        fresh = answers.claim("caller", "key", "request", later)
        assert isinstance(fresh, answers.Claim)
        assert (fresh.name == first.name, fresh.is_repeat, fresh.began_at) == (False, False, later)


@both_databases
@pytest.mark.parametrize("name", NAMES)
def test_two_that_take_a_claim_over_at_once_do_not_both_have_it(name: str) -> None:
    now = utc_now()
    with on_database(name):
        answers.claim("caller", "key", "request", now)
    acts = [partial(answers.claim, "caller", "key", "request", now + answers.LEASE)] * 4
    kinds = [type(each) for each in in_threads(name, acts)]
    assert sorted(kinds, key=str).count(answers.Claim) == 1, kinds
    assert kinds.count(answers.InFlight) == 3, kinds


@both_databases
def test_one_of_many_claims_wins_on_both_databases() -> None:
    first = answers.claim("caller", "key", "request", utc_now())
    assert isinstance(first, answers.Claim)
    with pytest.raises(answers.InFlight):
        answers.claim("caller", "key", "request", utc_now())
    answers.keep(first, 201, b"body")
    assert answers.claim("caller", "key", "request", utc_now()) == answers.Kept(201, b"body")
