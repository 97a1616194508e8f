"""What runs: each section with and without rows, and sending again what waits for a person."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from argo.groups import TRADER, VIEWER
from argo.models import MetricSample
from argo.operations.running import next_run
from signals.clock import utc_now
from signals.config import flusher, journal
from signals.dialect import database_now
from signals.models import Act, DeadLetter, Heartbeat, Signal
from signals.tracker import SignalTracker
from sync.models import Delivery
from tests.argo.pages import HOSTILE, INLINE, client_of, shown
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def panel(page: str, name: str) -> str:
    """Return the text of one section, without its tags."""
    found = re.search(rf'aria-labelledby="{name}-title">(.*?)</section>', page, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def dead_delivery(answer: str = "no symbol") -> Delivery:
    SignalTracker("test").log_signal(a_signal())
    flusher().flush()
    Delivery.objects.filter(status="pending").update(
        status="dead", attempts=3, last_status=422, last_answer=answer, attempted_at=utc_now()
    )
    return Delivery.objects.latest("pk")


def dead_letter(line: bytes) -> DeadLetter:
    journal().append([line])
    flusher().flush()
    return DeadLetter.objects.latest("pk")


def test_an_argo_that_never_ran_says_what_to_do() -> None:
    page = shown(client_of(VIEWER), "/running/")
    assert "No delivery and no dead letter waits" in panel(page, "dead")
    assert "No worker and no beat lives. Start Argo" in panel(page, "processes")
    assert "Sending is off: set ALPINE_API_KEY" in panel(page, "deliveries")
    assert "Delivered, last day -" in panel(page, "deliveries")
    assert "unknown" in panel(page, "machines")
    assert "There is no schedule yet" in panel(page, "schedules")
    assert "<form" not in page.partition("<main")[2]


def test_processes_queues_machines_and_schedules_are_on_one_page() -> None:
    now = database_now()
    for pid, seen, host in ((1, now, "left"), (2, now - timedelta(hours=3), HOSTILE)):
        Heartbeat.objects.create(
            node="n", host=host, role="worker", pid=pid, queues="flush sync",
            started_at=now - timedelta(days=1), seen_at=seen,
        )  # fmt: skip
    every = IntervalSchedule.objects.create(every=5, period="seconds")
    PeriodicTask.objects.create(name="flush", task="signals.tasks.flush", interval=every)
    MetricSample.objects.create(
        at=utc_now(), minutes=5, signals=0, delivered=1234, dead=0, waiting=0, executed=0, skipped=0
    )
    page = shown(client_of(VIEWER), "/running/")
    found = panel(page, "processes")
    alive, _, silent = found.partition("1 that is silent")
    assert "worker alive flush sync left 1" in alive
    assert "worker silent flush sync" in silent
    assert "<script>alert" not in page
    assert re.search(r"sync \d+ 1 ", panel(page, "queues") + " ")
    assert "Delivered, last day 1,234" in panel(page, "deliveries")
    assert "flush signals.tasks.flush every 5 seconds" in panel(page, "schedules")
    assert "/admin/django_celery_beat/" not in page, "a viewer may not change schedules"


def test_a_trader_sends_again_what_is_dead_and_is_named() -> None:
    delivery = dead_delivery(HOSTILE)
    client = client_of(TRADER)
    page = shown(client, "/running/")
    assert "1 dead delivery Correct the cause" in panel(page, "dead")
    assert "<script>alert" not in page
    page = client.post("/running/retry/", {"what": "deliveries"}, follow=True).content.decode()
    assert "1 delivery is queued again." in page
    delivery.refresh_from_db()
    assert delivery.status == "pending"
    assert Act.objects.get().who == f"admin:one-{TRADER}"


def test_dead_letters_are_stored_again_or_say_why_not() -> None:
    letter = dead_letter(b'{"signal_id": "broken"}')
    good = dead_letter(b'{"signal_id": "other"}')
    SignalTracker("test").log_signal(a_signal())
    (line,) = journal().path.read_bytes().splitlines()[-1:]
    DeadLetter.objects.filter(pk=good.pk).update(payload=line)
    client = client_of(TRADER)
    assert "2 dead letters could not be stored" in panel(shown(client, "/running/"), "dead")
    answer = client.post("/running/retry/", {"what": "letters"}, follow=True)
    page = answer.content.decode()
    assert not INLINE.search(page)
    assert "1 dead letter is stored." in page
    assert "1 dead letter stays: the line" in page
    assert Signal.objects.count() == 1
    letter.refresh_from_db()
    assert letter.resolved_at is None
    assert Act.objects.get().kind == "retry"


def test_a_viewer_may_look_and_not_send_again() -> None:
    dead_delivery()
    client = client_of(VIEWER)
    assert "Send all again" not in shown(client, "/running/")
    assert client.post("/running/retry/", {"what": "deliveries"}).status_code == 403
    assert Delivery.objects.get().status == "dead"


def test_only_a_post_with_a_token_sends_again() -> None:
    admin = Client(enforce_csrf_checks=True)
    admin.force_login(User.objects.create_superuser("admin"))
    assert admin.get("/running/retry/").status_code == 405
    assert admin.post("/running/retry/", {"what": "deliveries"}).status_code == 403
    trader = client_of(TRADER)
    assert trader.post("/running/retry/", {"what": "everything"}).status_code == 404


@pytest.mark.parametrize("address", ["/running/", "/problems/", "/history/", "/limits/", "/acts/"])
def test_each_page_needs_a_login_and_a_permission(address: str) -> None:
    assert Client().get(address).headers["Location"].startswith("/admin/login/")
    assert client_of("nobody").get(address).status_code == 403


def test_the_next_run_is_counted_on_from_the_last_one_that_is_stored() -> None:
    every = IntervalSchedule.objects.create(every=60, period="seconds")
    daily = CrontabSchedule.objects.create(minute="30", hour="13", timezone="UTC")
    task = PeriodicTask(name="t", task="t", interval=every)
    task.last_run_at = NOW - timedelta(seconds=150)
    assert next_run(task, NOW) == NOW + timedelta(seconds=30)
    task.last_run_at = NOW + timedelta(seconds=5)  # its clock is ahead
    assert next_run(task, NOW) == NOW + timedelta(seconds=65)
    task.enabled = False
    assert next_run(task, NOW) is None
    found = next_run(PeriodicTask(name="c", task="t", crontab=daily), utc_now())
    assert found
    assert (found.hour, found.minute) == (13, 30)
