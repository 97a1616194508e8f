"""Problems that begin and end are told, once, by whichever machine comes first."""

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from django.db import connection
from pytest_django import Settings

from argo.health.registry import Findings
from argo.health.watch import Reporter, Watch
from argo.models import PastProblem
from signals.clock import utc_now
from signals.models import OpenProblem
from signals.problems import Problem, ProblemKind
from sync.courier import Courier, Message
from sync.models import EventDelivery, Notice
from sync.webhooks import subscriptions
from tests.argo.up.processes import Running, wait_until
from tests.installation import Installation
from tests.sync.test_notify import Inbox

pytestmark = pytest.mark.django_db(transaction=True)
SHARED = ProblemKind("test.shared", "Do something.")
OWN = ProblemKind("test.own", "Do something here.", is_of_node=True)


class Looks:
    """What exists, for reporters; and what they send without the database."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.unknown: set[str] = set()
        self.sent: list[Message] = []

    def __call__(self, now: datetime) -> Findings:
        return Findings(self.problems, self.unknown)

    def reporter(self, node: str = "one") -> Reporter:
        looks = self

        class Recording(Courier):
            def look(self) -> None:
                pass

            def send_unqueued(self, message: Message) -> None:
                looks.sent.append(message)

        courier = Recording({}, timedelta(), lambda *_: None)
        return Reporter(node, courier, find=self)


@pytest.fixture
def looks(settings: Settings) -> Looks:
    settings.NOTIFY_URLS = ["json://127.0.0.1:1/"]
    return Looks()


def titles() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("title", flat=True))


def test_the_beginning_and_the_end_are_told_once_each(looks: Looks) -> None:
    reporter = looks.reporter()
    for seconds in (61, 76):  # the figures change, the problem is the same
        looks.problems = [SHARED.found(f"Something has waited for {seconds} s.")]
        reporter.look()
    looks.problems = []
    reporter.look()
    reporter.look()
    begun = "Something has waited for 61 s."
    assert titles() == [begun, f"Over: {begun}"]
    assert "Do something. (test.shared, seen on " in Notice.objects.earliest("pk").body


def test_subscribers_get_the_beginning_and_the_end_of_a_problem_once_each(looks: Looks) -> None:
    """`health.changed`, by whichever machine comes first, with the place and both times."""
    subscriptions.create("desk", "https://receiver.example/", ["health.changed"], now=utc_now())
    one, two = looks.reporter("one"), looks.reporter("two")
    looks.problems = [OWN.found("It is full.", "disk"), SHARED.found("Something waits.")]
    for reporter in (one, two, one):
        reporter.look()
    looks.problems = [OWN.found("It is full.", "disk")]
    for reporter in (two, one):
        reporter.look()
    rows = EventDelivery.objects.order_by("pk").values_list("type", "body")
    assert {kind for kind, _ in rows} == {"health.changed"}
    found = [orjson.loads(body)["data"] for _, body in rows]
    assert [(each["change"], each["code"], each["node"], each["about"]) for each in found] == [
        ("began", "test.own", "one", "disk"),
        ("began", "test.shared", None, ""),
        ("began", "test.own", "two", "disk"),
        ("ended", "test.shared", None, ""),
    ]
    assert [each["ended_at"] is None for each in found] == [True, True, True, False]
    assert found[3]["began_at"] == found[1]["began_at"] <= found[3]["ended_at"]
    assert found[3]["sentence"] == "Something waits."


def test_what_is_over_is_kept_with_its_beginning_and_end_also_if_nobody_is_told(
    looks: Looks, settings: Settings
) -> None:
    settings.NOTIFY_URLS = []
    reporter = looks.reporter()
    looks.problems = [OWN.found("Only me.")]
    reporter.look()
    began = OpenProblem.objects.get().began_at
    assert not PastProblem.objects.exists()
    looks.problems = []
    reporter.look()
    reporter.look()
    (kept,) = PastProblem.objects.all()
    assert (kept.node, kept.code, kept.sentence) == ("one", "test.own", "Only me.")
    assert kept.began_at == began <= kept.ended_at
    assert not Notice.objects.exists()


def test_several_of_a_kind_are_told_apart(looks: Looks) -> None:
    reporter = looks.reporter()
    looks.problems = [SHARED.found(f"No {name}.", name) for name in ("flush", "sync")]
    reporter.look()
    looks.problems.pop()
    reporter.look()
    assert titles() == ["No flush.", "No sync.", "Over: No sync."]


def test_machines_tell_what_they_share_once_and_their_own_each(looks: Looks) -> None:
    one, other = looks.reporter("one"), looks.reporter("other")
    looks.problems = [SHARED.found("All of us."), OWN.found("Only me.")]
    for reporter in (one, other, one):
        reporter.look()
    assert sorted(titles()) == ["All of us.", "Only me.", "Only me."]
    looks.problems = []
    for reporter in (one, other, one):
        reporter.look()
    assert sorted(titles())[3:] == ["Over: All of us.", "Over: Only me.", "Over: Only me."]
    assert not OpenProblem.objects.exists()


def test_a_machine_that_looked_before_does_not_end_what_another_one_has_begun(
    looks: Looks,
) -> None:
    late, early = looks.reporter("late"), looks.reporter("early")
    problem = SHARED.found("All of us.")

    def meanwhile(now: datetime) -> Findings:
        looks.problems = [problem]
        early.look()
        return Findings([], set())

    late._find = meanwhile
    late.look()
    assert titles() == ["All of us."]


def test_what_could_not_be_looked_for_is_not_over(looks: Looks) -> None:
    reporter = looks.reporter()
    looks.problems = [SHARED.found("Something.")]
    reporter.look()
    looks.problems, looks.unknown = [], {"test.shared"}
    reporter.look()
    looks.unknown = set()
    reporter.look()
    assert titles() == ["Something.", "Over: Something."]


def test_a_database_that_fails_is_told_without_it_and_its_return_with_it(looks: Looks) -> None:
    reporter = looks.reporter()
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE open_problems RENAME TO gone")
    try:
        reporter.look()
        assert looks.sent == [], "a restart of the database needs no message"
        reporter.look()
    finally:
        with connection.schema_editor() as editor:
            editor.execute("ALTER TABLE gone RENAME TO open_problems")
    assert "The database does not answer" in looks.sent[0].title
    reporter.look()
    assert titles() == ["Over: The database did not answer."]


def test_one_process_of_a_machine_watches_until_it_stops(looks: Looks, tmp_path: Path) -> None:
    looked: list[str] = []

    def watch(name: str) -> Watch:
        reporter = looks.reporter()
        reporter.look = lambda: looked.append(name)  # type: ignore[method-assign]
        return Watch(reporter, tmp_path / "watch.lock", 0.01)

    first, second = watch("first"), watch("second")
    first.start()
    wait_until(lambda: len(looked) > 2)
    second.start()
    wait_until(lambda: len(looked) > 10)
    assert set(looked) == {"first"}
    first.stop()
    wait_until(lambda: "second" in looked)
    second.stop()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    with made.running():
        yield made


@pytest.mark.slow
def test_real_processes_show_that_they_live_and_tell_what_is_wrong(
    installation: Installation, inbox: Inbox
) -> None:
    """A worker of one queue runs, and no other process: it says so, and beat's start ends it."""
    settings = {
        "NOTIFY_URLS": inbox.url,
        "NOTIFY_INTERVAL": "0",
        "NOTIFY_CHECK_INTERVAL": "0.5",
        "ARGO_LOG_LEVEL": "DEBUG",
    }
    argo = Installation(installation.folder, settings)
    celery = ("-m", "celery", "-A", "argo", "--quiet")
    worker = _start(argo, *celery, "worker", "-Q", "flush", "-P", "threads", "-c", "1")
    try:
        wait_until(lambda: "Beat does not run" in str(inbox.got), lambda: worker.text)
        assert "No worker serves the queue sync" in str(inbox.got)
        assert "the queue flush" not in str(inbox.got)
        beat = _start(argo, *celery, "beat")
        try:
            wait_until(lambda: "Over: Beat does not run" in str(inbox.got), lambda: beat.text)
        finally:
            beat.kill_all()
        rows = argo.query("SELECT role, queues FROM heartbeats ORDER BY role")
        assert rows == [("beat", ""), ("worker", "flush")]
        assert argo.query("SELECT count(*) FROM disk_samples") == [(1,)]
    finally:
        worker.kill_all()
    assert "s3cret" not in worker.text


def _start(argo: Installation, *arguments: str) -> Running:
    return Running(argo.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
