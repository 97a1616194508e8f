"""Only one beat runs, whatever happened to the one before it, and it has the settings' schedule."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect
from types import SimpleNamespace

import psycopg
import pytest
from django_celery_beat.schedulers import DatabaseScheduler

from argo.beat import LockedScheduler
from argo.lease import LENGTH
from tests.argo.up.processes import Running, wait_until
from tests.installation import Installation
from tests.services import POSTGRESQL

pytestmark = pytest.mark.slow
StartBeat = Callable[..., Running]
BEAT = ("-m", "celery", "-A", "argo", "--quiet", "beat", "--loglevel", "INFO")


@pytest.fixture
def start_beat(installation: Installation) -> Iterator[StartBeat]:
    """Return a function that starts a real beat on this installation, or on a variant of it; all
    end with the test."""
    started: list[Running] = []

    def start(argo: Installation = installation) -> Running:
        argo = with_settings(argo, ARGO_LOG_LEVEL="DEBUG")  # otherwise it does not log each tick
        process = argo.start(*BEAT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        started.append(Running(process))
        return started[-1]

    yield start
    for beat in started:
        beat.kill_all()


def messages(argo: Installation) -> int:
    return len(list((argo.folder / "broker").glob("*.flush.msg")))


def with_settings(argo: Installation, **settings: str) -> Installation:
    return replace(argo, settings=argo.settings | settings)


def schedule_of(argo: Installation) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = argo.query(
        "SELECT name, task, enabled, every, period FROM django_celery_beat_periodictask "
        "JOIN django_celery_beat_intervalschedule AS i ON i.id = interval_id ORDER BY name"
    )
    return rows


def test_a_second_beat_says_who_holds_the_lock_and_exits(
    installation: Installation, start_beat: StartBeat
) -> None:
    first = start_beat()
    first.wait_for("Schedule changed|Sending due task")

    second = start_beat()

    assert second.end() == 1
    assert f"beat.lock is held by process {first.process.pid}." in second.text
    assert "Only one may run" in second.text
    assert first.process.poll() is None


def test_a_beat_takes_over_from_one_that_was_killed(
    installation: Installation, start_beat: StartBeat
) -> None:
    first = start_beat(with_settings(installation, SIGNAL_BATCH_TIMEOUT="0.5"))
    first.wait_for("Sending due task flush")
    first.signal(signal.SIGKILL)
    first.end()

    second = start_beat(with_settings(installation, SIGNAL_BATCH_TIMEOUT="0.5"))
    second.wait_for("Sending due task flush")
    second.signal(signal.SIGTERM)

    assert second.end() == 0


def test_a_beat_whose_lock_was_deleted_ends(
    installation: Installation, start_beat: StartBeat
) -> None:
    beat = start_beat(with_settings(installation, SIGNAL_BATCH_TIMEOUT="0.5"))
    beat.wait_for("Sending due task flush")

    (installation.folder / "beat.lock").unlink()

    assert beat.end() != 0
    assert "beat.lock was deleted or replaced" in beat.text


def test_beat_keeps_intervals_below_a_second(
    installation: Installation, start_beat: StartBeat
) -> None:
    beat = start_beat(with_settings(installation, SIGNAL_BATCH_TIMEOUT="0.4"))

    beat.wait_for("Sending due task flush", times=3)

    assert messages(installation) >= 2
    assert ("flush", "signals.tasks.flush", 1, 400_000, "microseconds") in schedule_of(installation)


def test_changed_settings_change_the_schedule_but_do_not_enable_a_disabled_entry(
    installation: Installation, start_beat: StartBeat
) -> None:
    first = start_beat(with_settings(installation, SIGNAL_BATCH_TIMEOUT="3"))
    first.wait_for("Sending due task flush")
    first.signal(signal.SIGTERM)
    first.end()
    assert ("flush", "signals.tasks.flush", 1, 3, "seconds") in schedule_of(installation)
    connection = connect(installation.folder / "signals.db", isolation_level=None)
    connection.execute("UPDATE django_celery_beat_periodictask SET enabled = 0")
    connection.close()

    second = start_beat(with_settings(installation, SIGNAL_BATCH_TIMEOUT="7"))
    second.wait_for("beat: Starting")
    wait_until(
        lambda: ("flush", "signals.tasks.flush", 0, 7, "seconds") in schedule_of(installation)
    )


def test_generation_and_record_are_scheduled_only_while_they_are_set(
    installation: Installation, start_beat: StartBeat, tmp_path: Path
) -> None:
    entry = ("generate", "signals.tasks.generate", 1, 1, "seconds")
    first = start_beat()
    first.wait_for("Schedule changed|Sending due task")
    some = {"generate", "enter_record", "publish_record", "witness_record", "stamp_record"}
    assert some.isdisjoint(row[0] for row in schedule_of(installation))
    first.signal(signal.SIGTERM)
    first.end()

    live = {"MARKET_DATA": "files", "MARKET_FOLDER": str(tmp_path), "MARKET_INTERVAL": "1",
            "MARKET_SYMBOLS": "AAPL", "RECORD_ORIGIN": "argo.example/record"}  # fmt: skip
    second = start_beat(with_settings(installation, **live))
    second.wait_for("Sending due task generate")
    assert entry in schedule_of(installation)
    assert some <= {row[0] for row in schedule_of(installation)}
    second.signal(signal.SIGTERM)
    second.end()

    third = start_beat()
    third.wait_for("Sending due task flush")
    assert entry not in schedule_of(installation)
    assert some.isdisjoint(row[0] for row in schedule_of(installation))


@pytest.mark.django_db
def test_a_signal_within_a_tick_leaves_the_database_to_the_end_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The handler of the signal runs on the thread that ticks, which may hold any lock."""
    closed: list[bool] = []
    scheduler: LockedScheduler = LockedScheduler.__new__(LockedScheduler)

    def interrupted(_: DatabaseScheduler) -> float:
        scheduler.close()
        return 1.0

    monkeypatch.setattr(DatabaseScheduler, "close", lambda self: closed.append(True))
    monkeypatch.setattr(DatabaseScheduler, "tick", interrupted)
    scheduler._lock = SimpleNamespace(verify=lambda: None)  # type: ignore[assignment]  # as below
    scheduler._is_active = True
    scheduler._heart = SimpleNamespace(prove=lambda: None)  # type: ignore[assignment]  # a stand-in
    assert scheduler.tick() == 1.0
    assert closed == []
    with pytest.raises(SystemExit):
        scheduler.tick()
    scheduler.close()
    assert closed == [True]


def test_beat_returns_its_connection_after_each_tick_and_stores_its_counts_at_the_end(
    installation: Installation, start_beat: StartBeat
) -> None:
    beat = start_beat(with_settings(installation, SIGNAL_BATCH_TIMEOUT="0.4", SIGNAL_POOL_SIZE="1"))
    beat.wait_for("Sending due task flush", times=4)
    beat.signal(signal.SIGTERM)

    assert beat.end() == 0
    assert "ERROR" not in beat.text
    sent = beat.text.count("Sending due task flush")
    counts = installation.query(
        "SELECT total_run_count FROM django_celery_beat_periodictask WHERE name = 'flush'"
    )
    assert counts == [(sent,)]


@pytest.mark.services("postgresql")
def test_of_two_machines_with_one_postgresql_database_one_beat_sends_and_the_other_takes_over(
    installation: Installation, start_beat: StartBeat, postgresql_url: str
) -> None:
    here = with_settings(installation, DATABASE_URL=postgresql_url, SIGNAL_BATCH_TIMEOUT="0.5")
    here.manage("migrate", "--verbosity", "0").check_returncode()
    there = replace(here, folder=installation.folder.with_name("elsewhere"))
    there.folder.mkdir()
    first = start_beat(here)
    first.wait_for("Sending due task flush")

    second = start_beat(there)
    second.wait_for(rf"Another beat is active \(process {first.process.pid} on .*standing by")
    first.wait_for("Sending due task flush", times=count(first) + 4)
    assert count(second) == 0

    first.signal(signal.SIGKILL)
    first.end()
    killed_at = time.monotonic()
    second.wait_for("Sending due task flush")
    assert time.monotonic() - killed_at < LENGTH + 20  # a slow machine has some more seconds

    third = start_beat(here)
    third.wait_for("standing by")
    second.signal(signal.SIGTERM)
    assert second.end() == 0
    third.wait_for("Sending due task flush")
    assert "ERROR" not in second.text + third.text


@pytest.mark.services("postgresql")
def test_a_beat_that_was_stopped_for_longer_than_its_lease_sends_nothing_more(
    installation: Installation, start_beat: StartBeat, postgresql_url: str
) -> None:
    here = with_settings(installation, DATABASE_URL=postgresql_url, SIGNAL_BATCH_TIMEOUT="0.5")
    here.manage("migrate", "--verbosity", "0").check_returncode()
    there = replace(here, folder=installation.folder.with_name("elsewhere"))
    there.folder.mkdir()
    first = start_beat(here)
    first.wait_for("Sending due task flush")
    second = start_beat(there)
    second.wait_for("standing by")

    first.signal(signal.SIGSTOP)
    second.wait_for("Sending due task flush")
    before = count(first)
    first.signal(signal.SIGCONT)

    assert first.end() != 0
    assert "The lease of beat ran out" in first.text
    assert count(first) == before
    second.wait_for("Sending due task flush", times=count(second) + 2)


def count(beat: Running) -> int:
    return beat.text.count("Sending due task flush")


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """Return the URL of an empty database for this test alone."""
    server = f"postgres://postgres@{POSTGRESQL.host}:{POSTGRESQL.port}"
    name = f"argo_beat_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield f"{server}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
