"""The doctor finds why storing is slow, and where a best practice is not followed."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings

from argo.doctor import practices, speed, stages
from argo.doctor.check import Check, Finding
from argo.doctor.examine import repair
from argo.metrics import samples
from execution.models import Position
from signals import metrics
from signals.clock import utc_now
from signals.config import flusher
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.argo.doctor.asking import OK, PROBLEM, SKIPPED, WARNING, answers, known, of
from tests.samples import a_signal, signals
from tests.signs_of_life import all_alive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def everything_runs(db: None) -> None:
    all_alive()


def practice(name: str) -> Finding:
    before = [
        Check(*each)
        for each in of(speed.questions, "latency", "batches", "waiting callers").items()
    ]
    return answers(practices.questions(known(), before))[name]


def test_a_missing_index_is_found_and_made_again() -> None:
    with connection.schema_editor() as editor:
        editor.execute("DROP INDEX signals_time")
    found = of(speed.questions, "indexes")["indexes"]
    assert (found.result, found.sentence) == (PROBLEM, "Missing: signals_time.")
    assert "argo doctor --fix" in found.advice
    assert repair(found.repairs) == ["Done: make the index signals_time again"]
    assert of(speed.questions, "indexes")["indexes"].result is OK


def test_a_missing_index_of_a_column_is_found_and_made_again() -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "outcome_changes")
    (name,) = (
        name for name, each in found.items() if each["columns"] == ["signal_id"] and each["index"]
    )
    with connection.schema_editor() as editor:
        editor.execute(f'DROP INDEX "{name}"')
    missing = of(speed.questions, "indexes")["indexes"]
    assert missing.result is PROBLEM
    repair(missing.repairs)
    assert of(speed.questions, "indexes")["indexes"].result is OK


def test_a_repair_that_fails_says_so() -> None:
    with connection.schema_editor() as editor:
        editor.execute("DROP INDEX signals_time")
    repairs = of(speed.questions, "indexes")["indexes"].repairs
    assert repair([*repairs, *repairs])[1].startswith("Could not make the index signals_time again")


def test_slow_storage_is_a_problem_and_a_practice_that_is_not_followed() -> None:
    SignalTracker("test", clock=lambda: utc_now() - timedelta(seconds=2)).accept(signals(20))
    flusher().flush()
    found = of(speed.questions, "latency")["latency"]
    assert found.result is PROBLEM
    assert "20 signals in the last hour: half within 2,0" in found.sentence
    assert "the target is 500.0 ms" in found.sentence
    followed = practice("latency below 500 ms")
    assert (followed.result, followed.sentence) == (WARNING, found.sentence)


def test_a_few_slow_signals_are_shown_and_no_problem() -> None:
    SignalTracker("test", clock=lambda: utc_now() - timedelta(seconds=2)).accept(signals(19))
    flusher().flush()
    assert of(speed.questions, "latency")["latency"].result is OK


def test_calls_that_wait_for_the_database_are_counted_and_found(counted: None) -> None:
    tracker = SignalTracker("python")
    tracker.log_signal(a_signal())
    tracker.log_signals(signals(3))
    tracker.accept(signals(3))
    found = of(speed.questions, "waiting callers")["waiting callers"]
    assert found.result is OK
    assert found.sentence == "2 calls waited for the database in the last 30 minutes"
    for _ in range(50):  # half of an hour's limit, in half an hour
        metrics.synchronous("my system")
    assert practice("store asynchronously").result is OK
    metrics.synchronous("my system")
    found = practice("store asynchronously")
    assert (found.result, "51 from other" in found.sentence) == (WARNING, True)
    assert "log_signal_async" in found.advice


def test_before_a_worker_has_counted_it_is_said() -> None:
    (django_settings.METRICS_DIR / samples.FILE).unlink(missing_ok=True)
    assert of(speed.questions, "waiting callers")["waiting callers"].result is SKIPPED


def test_flushes_of_one_line_are_found_if_there_are_many(counted: None) -> None:
    for _ in range(1800):
        metrics.FLUSH_BATCH.observe(1)
    assert practice("batch signals").result is OK, "one a second may be what there is to store"
    for _ in range(100):
        metrics.FLUSH_BATCH.observe(1)
    found = practice("batch signals")
    assert found.result is WARNING
    assert "none took more than one" in found.sentence
    metrics.FLUSH_BATCH.observe(50)
    assert practice("batch signals").result is OK


@pytest.mark.parametrize(
    ("name", "wrong", "sentence"),
    [
        ("batch signals", {"SIGNAL_BATCH_SIZE": 1}, "SIGNAL_BATCH_SIZE is 1"),
        ("pool connections", {"SIGNAL_POOL_SIZE": 1}, "SIGNAL_POOL_SIZE is 1"),
        ("sync to Alpine", {"ALPINE_API_KEY": ""}, "ALPINE_API_KEY is empty"),
    ],
)
def test_a_setting_against_a_practice_is_found(
    name: str, wrong: dict[str, Any], sentence: str, settings: Settings
) -> None:
    settings.ALPINE_API_KEY = "key"
    assert practice(name).result is not WARNING
    for setting, value in wrong.items():
        setattr(settings, setting, value)
    found = practice(name)
    assert found.result is WARNING
    assert sentence in found.sentence
    assert found.advice.startswith("Set ")


def test_a_closed_position_without_an_outcome_is_found(settings: Settings) -> None:
    SignalTracker("test").log_signals(signals(3))
    closed = utc_now() - timedelta(days=1)
    common: dict[str, Any] = {
        "account": settings.TRADING_ACCOUNT, "symbol": "AAPL", "side": "BUY", "quantity": 1,
        "entry_price": 1, "stop": 1, "target": 2, "opened_at": closed, "expires_at": closed,
    }  # fmt: skip
    ids = list(Signal.objects.values_list("pk", flat=True))
    Position.objects.create(signal_id=ids[0], status="open", **common)
    Position.objects.create(
        signal_id=ids[1], status="closed", closed_at=closed - timedelta(days=7), **common
    )
    assert practice("track outcomes").result is OK
    Position.objects.create(signal_id=ids[2], status="closed", closed_at=closed, **common)
    found = practice("track outcomes")
    assert found.result is WARNING
    assert "1 position closed this week without an outcome" in found.sentence


def test_a_broker_that_is_down_is_found_and_no_message_is_sent(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    found = of(speed.questions, "broker", "queues")
    assert found["broker"].result is PROBLEM
    assert "CELERY_BROKER_URL" in found["broker"].advice
    assert found["queues"].result is SKIPPED


def test_a_worker_that_lives_and_does_not_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "REPLY_WAIT", 0.1)
    found = of(speed.questions, "broker", "queues")["queues"]
    assert found.result is PROBLEM
    assert "No worker answers for default, execution, flush, sync within 0.1 s." in found.sentence


def test_a_slow_stage_is_a_warning_and_a_very_slow_one_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def disk(seconds: float) -> Finding:
        monkeypatch.setattr("os.fdatasync", lambda _: time.sleep(seconds))
        monkeypatch.setattr(stages, "LINES", 1)
        return stages.journal_line()

    assert disk(0).result is OK
    assert disk(0.11).result is WARNING
    assert disk(0.51).result is PROBLEM
