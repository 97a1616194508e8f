"""Missing processes are noticed by their heartbeats, and a broker that does not answer."""

import socket

import pytest
from pytest_django import Settings

from argo.health import processes
from argo.up.children import workers
from argo.up.roles import all_roles
from signals.clock import utc_now
from signals.health.heartbeats import BEAT
from signals.models import Heartbeat
from signals.problems import Problem
from tests.signs_of_life import alive, all_alive

pytestmark = pytest.mark.django_db


def found() -> list[Problem]:
    return list(processes.problems(utc_now()))


def keys() -> list[tuple[str, str]]:
    return [(problem.kind.code, problem.about) for problem in found()]


def test_everything_runs() -> None:
    all_alive()
    assert found() == []


def test_nothing_runs() -> None:
    assert keys() == [
        ("worker.missing", "default"),
        ("worker.missing", "execution"),
        ("worker.missing", "flush"),
        ("worker.missing", "sync"),
        ("beat.missing", ""),
    ]
    assert "there was no sign of one in the last day" in found()[0].sentence


def test_a_process_that_was_silent_for_a_minute_is_missing() -> None:
    all_alive()
    for row in Heartbeat.objects.filter(queues__in=["sync", ""]):
        row.delete()
    alive(queues="sync", ago=59)
    alive(BEAT, ago=58)
    assert keys() == []
    Heartbeat.objects.filter(queues__in=["sync", ""]).delete()
    alive(queues="sync", ago=61)
    alive(BEAT, ago=62)
    assert keys() == [("worker.missing", "sync"), ("beat.missing", "")]
    assert "the last sign of life was 61 s ago" in found()[0].sentence


def test_each_machine_needs_its_own_flush_and_shares_the_rest() -> None:
    for worker in workers(all_roles()):
        alive(queues=" ".join(worker.queues), node="another")
    alive(BEAT, node="another")
    assert keys() == [("worker.missing", "flush")]
    assert "on this machine" in found()[0].sentence
    alive(queues="flush default")
    assert keys() == []


def test_a_queue_that_the_schedule_uses_needs_a_worker(settings: Settings) -> None:
    all_alive()
    settings.CELERY_BEAT_SCHEDULE = settings.CELERY_BEAT_SCHEDULE | {
        "generate": {"task": "signals.tasks.generate", "schedule": 60.0},
    }
    assert keys() == [("worker.missing", "generation")]


def test_a_broker_that_accepts_and_never_answers_delays_health_by_a_second(
    settings: Settings,
) -> None:
    all_alive()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.CELERY_BROKER_URL = f"redis://:secret@127.0.0.1:{silent.getsockname()[1]}/0"
        began = utc_now()
        (problem,) = found()
        assert (utc_now() - began).total_seconds() < 3
    assert problem.kind.code == "broker.no_answer"
    assert "no answer within 1 s" in problem.sentence
    assert "secret" not in problem.sentence


def test_a_broker_that_refuses_is_a_problem(settings: Settings) -> None:
    all_alive()
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert keys() == [("broker.no_answer", "")]


def test_a_broker_folder_that_cannot_be_used_is_a_problem(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_alive()
    monkeypatch.setattr(processes, "ON_ONE_MACHINE", True)
    settings.BROKER_DIR = settings.DATA_DIR / "broker"
    assert keys() == []
    settings.BROKER_DIR = settings.DATA_DIR / "file" / "broker"
    (settings.DATA_DIR / "file").write_text("")
    (problem,) = found()
    assert problem.kind.code == "broker.no_answer"
    assert f"The Celery broker {settings.BROKER_DIR} does not answer" in problem.sentence
    assert "if the broker is a folder" in problem.kind.advice
