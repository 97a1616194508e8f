"""Heartbeats are written while the main loop turns, whatever the database does."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connections

from signals.health.heartbeats import WORKER, Heart, Process, Prove, forget_old
from signals.market.watched import OldPrice
from signals.models import Heartbeat
from tests.argo.up.processes import wait_until
from tests.signs_of_life import alive

pytestmark = pytest.mark.django_db(transaction=True)
PROCESS = Process("node", WORKER, ("flush", "default"))


def turns(prove: Prove) -> None:
    prove()


def hangs(prove: Prove) -> None:
    pass


@contextmanager
def beating(
    ask: Callable[[Prove], None] = turns, stuck_after: float = 60.0, **parts: object
) -> Iterator[Heart]:
    heart = Heart(PROCESS, ask, interval=0.02, stuck_after=stuck_after, **parts)  # type: ignore[arg-type]
    heart.start()
    try:
        yield heart
    finally:
        heart.stop()
        wait_until(lambda: "heart" not in {thread.name for thread in threading.enumerate()})


def seen() -> float:
    return Heartbeat.objects.get().seen_at.timestamp()


def test_one_row_is_written_at_once_and_renewed() -> None:
    with beating():
        row = Heartbeat.objects.get()
        assert (row.node, row.role, row.queues) == ("node", "worker", "flush default")
        wait_until(lambda: seen() > row.seen_at.timestamp())
    assert Heartbeat.objects.get().started_at == row.started_at


def test_a_main_loop_that_hangs_stops_it() -> None:
    with beating(hangs, stuck_after=0.2) as heart:
        first = seen()
        time.sleep(0.4)
        last = seen()
        assert last - first < 0.4
        time.sleep(0.1)
        assert seen() == last
        heart.prove()
        wait_until(lambda: seen() > last)


def test_a_database_that_fails_is_tried_again_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE heartbeats RENAME TO gone")
    with beating():
        time.sleep(0.2)
        with connections["default"].cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO heartbeats")
        wait_until(Heartbeat.objects.exists)
    failures = [record for record in caplog.records if "No heartbeat" in record.message]
    assert len(failures) == 1


def test_what_else_a_process_does_with_each_heartbeat() -> None:
    done: list[int] = []
    with beating(duties=[lambda: done.append(1)]):
        wait_until(lambda: len(done) > 1)


def test_an_old_price_is_written_and_taken_back() -> None:
    old = [OldPrice("AAPL", alive().seen_at), None]
    Heartbeat.objects.all().delete()
    with beating(old_price=lambda: old[0]):
        assert Heartbeat.objects.get().old_price_of == "AAPL"
        old.pop(0)
        wait_until(lambda: Heartbeat.objects.get().old_price_at is None)


def test_rows_of_the_day_before_are_deleted() -> None:
    now = alive(ago=86_000).seen_at + timedelta(seconds=86_000)
    alive(ago=87_000)
    forget_old(now)
    assert Heartbeat.objects.count() == 1
