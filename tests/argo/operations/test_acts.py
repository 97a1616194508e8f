"""The log of acts: what is recorded, by whom, and who may read it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from argo.groups import ADMINISTRATOR, TRADER, VIEWER
from argo.operations import acts as acts_page
from argo.up.admin_user import make_first_admin
from execution import manual
from execution.accounts import changes, halts
from execution.models import Position
from execution.money import HUNDRED
from execution.types import HaltCode
from signals import acts, keys
from signals.config import journal
from signals.ledger import outcomes
from signals.ledger.outcome_edits import edit_outcome
from signals.models import Act
from sync import recovery
from sync.models import Delivery
from tests.argo.pages import HOSTILE, client_of, shown
from tests.execution.trading_fixtures import ACCOUNT, Trading

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"


def logged(kind: str) -> list[tuple[str, str, str, str]]:
    """Return who, before, after and why of each act of this kind."""
    found = Act.objects.filter(kind=kind).order_by("pk")
    return list(found.values_list("who", "before", "after", "why"))


def act(number: int, **values: Any) -> None:  # noqa: ANN401
    fields = {"kind": acts.Kind.OTHER, "about": f"thing {number}", "who": "api:bot"}
    acts.record(**(fields | {"at": NOW + timedelta(hours=number)} | values))


def test_what_people_do_with_trades_is_recorded_and_what_argo_does_is_not() -> None:
    trading = Trading.begun(journal(), auto_execute=False)
    signal = trading.log()
    trading.decide()
    manual.execute(trading.context, signal.signal_id, "api:bot")
    trading.move(100.0)
    assert logged("execute") == [("api:bot", "skipped", "asked for on paper", "")]
    position = Position.objects.get()
    manual.close(ACCOUNT, position, who="admin:anna", why="news")
    assert logged("close") == [("admin:anna", "open", "to be closed", "news")]
    halts.latch(ACCOUNT, HaltCode.DRAWDOWN, "too deep", NOW)
    halts.latch(ACCOUNT, HaltCode.BY_HAND, "storm", NOW, by="admin:anna")
    assert logged("halt") == [("admin:anna", "", "halted", "storm")]
    halts.lift(ACCOUNT, by="api:bot", why="calm", now=NOW)
    assert logged("lift") == [("api:bot", "too deep; storm", "lifted", "calm")]
    changes.transfer(trading.context, HUNDRED, by="admin:anna", why="top up")
    ((who, before, after, why),) = logged("account")
    assert (who, why, before != "", after != "") == ("admin:anna", "top up", True, True)
    trading.wait(minutes=1)
    trading.look()
    assert Act.objects.count() == 5, "the monitor's own outcome is no act of a person"


def test_an_outcome_that_a_key_changes_is_recorded_with_what_it_was(client: Client) -> None:
    signal = Trading.begun(journal()).log(entry_price=100.0)
    key = keys.create_key("bot", ["read", "write"], who="admin:anna")
    address = f"/api/signals/{signal.signal_id}/outcome"
    body = {"exit_price": 105.0, "outcome": "win", "why": "target"}
    headers = {"X-API-Key": key, "If-Match": "*"}
    for _ in range(2):  # the second one changes nothing
        answer = client.patch(address, body, content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer.content
    assert logged("outcome") == [("api:bot", "open", "win at 105 (+5%)", "target")]
    keys.revoke(key, NOW, who="admin:anna")
    may = "may read, write"
    assert logged("key") == [("admin:anna", "", may, ""), ("admin:anna", may, "revoked", "")]


def test_dead_deliveries_that_are_sent_again_are_one_act() -> None:
    trading = Trading.begun(journal())
    for _ in range(2):
        Delivery.objects.create(signal=trading.log(), status="dead", queued_at=NOW, due_at=NOW)
    recovery.retry_dead(NOW, who="api:bot")
    recovery.retry_dead(NOW, who="api:bot")
    assert [(each.about, each.after) for each in Act.objects.all()] == [
        ("2 dead deliveries", "queued")
    ]


def test_an_act_is_not_recorded_if_what_it_records_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    signal = Trading.begun(journal()).log()

    def fails(*of: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(outcomes, "encode_change", fails)
    with pytest.raises(OSError, match="full"):
        expire(signal.signal_id)
    assert not Act.objects.exists()


def expire(signal_id: str) -> None:
    fields = {"outcome": "expired", "why": "old"}
    edit_outcome(signal_id, fields, ["*"], who="api:bot", now=NOW, journal=journal())


def test_logins_logouts_and_wrong_passwords_are_recorded_without_what_was_typed() -> None:
    User.objects.create_superuser("anna", password=PASSWORD)
    client = Client(REMOTE_ADDR="10.0.0.9")

    def log_in(name: str, password: str) -> None:
        client.post("/admin/login/?next=/admin/", {"username": name, "password": password})

    log_in("anna", "wrong")
    log_in(PASSWORD, "typed into the wrong field")
    log_in("anna", PASSWORD)
    own = {
        "old_password": PASSWORD,
        "new_password1": f"{PASSWORD}!",
        "new_password2": f"{PASSWORD}!",
    }
    assert client.post("/admin/password_change/", own).status_code == 302
    client.post("/admin/logout/")
    found = Act.objects.order_by("pk").values_list("kind", "who", "about")
    assert list(found) == [
        ("login failed", "admin:anna", "from 10.0.0.9"),
        ("login failed", "unknown user", "from 10.0.0.9"),
        ("login", "admin:anna", "from 10.0.0.9"),
        ("user", "admin:anna", "own password"),
        ("logout", "admin:anna", "from 10.0.0.9"),
    ]


def test_a_login_that_must_wait_is_not_recorded_so_that_nobody_fills_the_table() -> None:
    User.objects.create_superuser("anna", password=PASSWORD)
    for _ in range(9):
        Client().post("/admin/login/", {"username": "anna", "password": "wrong"})
    assert len(logged("login failed")) == 5


def test_changed_users_and_schedules_are_recorded() -> None:
    client = client_of(ADMINISTRATOR)
    address = reverse("admin:auth_group_add")
    assert client.post(address, {"name": "guests"}).status_code == 302
    every = IntervalSchedule.objects.create(every=5, period="seconds")
    task = PeriodicTask.objects.create(name="flush", task="signals.tasks.flush", interval=every)
    page = reverse("admin:django_celery_beat_periodictask_changelist")
    form = {"action": "delete_selected", "_selected_action": [str(task.pk)], "post": "yes"}
    assert client.post(page, form).status_code == 302
    found = Act.objects.order_by("pk").values_list("kind", "about", "after")
    assert list(found) == [
        ("user", "group guests", "Added."),
        ("schedule", "periodic task flush: every 5 seconds", "Deleted."),
    ]


def test_the_first_administrator_is_recorded_once_and_never_with_the_password() -> None:
    for _ in range(2):
        make_first_admin(lambda: PASSWORD)
    assert logged("user") == [("command line", "", "made", "")]
    assert PASSWORD not in str(Act.objects.values())


@pytest.mark.parametrize("group", [VIEWER, TRADER])
def test_only_administrators_see_the_acts(group: str) -> None:
    client = client_of(group)
    assert client.get("/acts/").status_code == 403
    assert 'href="/acts/"' not in shown(client, "/problems/")


def test_the_page_says_what_happens_without_acts_and_shows_hostile_texts_as_text() -> None:
    client = client_of(ADMINISTRATOR)
    assert "Nobody has changed anything yet" in shown(client, "/acts/")
    texts = dict.fromkeys(("about", "who", "before", "after", "why", "signal_id"), HOSTILE + "\0")
    act(1, **texts)
    page = shown(client, "/acts/")
    assert page.count("&lt;script&gt;alert(1)") == 5
    assert "<script>alert" not in page
    assert Act.objects.get().why == HOSTILE
    act(2, why="x" * 1001)
    assert Act.objects.latest("pk").why == f"{'x' * 999}…"
    answer = client.get("/acts/")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]


def things(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"thing (\d+)<", page)]


def test_acts_are_filtered_by_kind_name_and_day() -> None:
    client = client_of(ADMINISTRATOR)
    for number in range(4):
        act(number * 24, who=f"api:{number % 2}", kind=acts.Kind.KEY if number else acts.Kind.NODE)
    for query, expected in (
        ("", [72, 48, 24, 0]),
        ("kind=key", [72, 48, 24]),
        ("who=api:0", [48, 0]),
        ("since=2026-01-06&until=2026-01-07", [48, 24]),
        ("since=2026-01-07&who=api:1", [72]),
    ):
        assert things(shown(client, f"/acts/?{query}")) == expected, query
    assert "No act passes these filters" in shown(client, "/acts/?since=2030-01-01")
    for wrong in ("since=yesterday", "kind=nothing", f"after={2**64}", "who=%00"):
        assert "Correct the filter" in shown(client, f"/acts/?{wrong}"), wrong


def test_pages_go_on_to_older_acts_and_look_at_few_rows_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acts, "STRETCH", 50)
    for number in range(120):
        act(number, who="api:rare" if number == 3 else "api:bot")
    pages, after = [], None
    for _ in range(9):
        found = acts.page(30, after=after, who="api:rare")
        pages.append([row.about for row in found.rows])
        after = found.following
        if after is None:
            break
    assert pages == [[], [], ["thing 3"]]
    late = acts.page(30, since=NOW + timedelta(hours=100))
    assert (len(late.rows), late.following) == (20, None)


def test_acts_are_in_the_order_of_time_also_if_a_clock_was_set_back() -> None:
    for hours in (10, 5, 20, 5):
        act(hours)
    pages, after = [], None
    for _ in range(4):
        found = acts.page(1, after=after)
        pages += [row.about for row in found.rows]
        after = found.following
    assert (pages, after) == (["thing 20", "thing 10", "thing 5", "thing 5"], None)
    early = acts.page(9, until=NOW + timedelta(hours=7))
    assert [row.about for row in early.rows] == ["thing 5", "thing 5"]
    assert acts.page(9, after=10**9).rows == []


def test_no_page_walks_more_than_a_stretch_of_the_index() -> None:
    act(1)
    key = Act.objects.get().pk
    with CaptureQueriesContext(connection) as asked:
        acts.page(9, after=key, kind="key", since=NOW, until=NOW + timedelta(days=1))
    if connection.vendor == "sqlite":
        for query in asked.captured_queries:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plan = " ".join(row[3] for row in cursor.fetchall())
            assert "SCAN" not in plan, plan
            assert "TEMP B-TREE" not in plan, plan


def test_a_key_that_may_administer_reads_the_acts_page_by_page(client: Client) -> None:
    for number in range(3):
        act(number, who=f"api:{number % 2}", signal_id=f"s{number}", why=f"because of {number}")
    headers = {"X-API-Key": keys.create_key("root", ["admin"], who="api:0")}

    def asked(**query: str) -> tuple[list[str], int | None]:
        answer = client.get("/api/acts", query, headers=headers)
        assert answer.status_code == 200, answer.content
        found = answer.json()
        return [each["about"] for each in found["items"]], found["next"]

    names, following = asked(kind="other", limit="2")
    assert names == ["thing 2", "thing 1"]
    assert asked(kind="other", limit="2", after=str(following)) == (["thing 0"], None)
    assert asked(who="api:1") == (["thing 1"], None)
    assert asked(since="2026-01-05T13:00:00Z", until="2026-01-05T14:00:00Z") == (["thing 1"], None)
    assert asked(about="THING 2") == (["thing 2"], None)
    assert asked(signal_id="s1") == (["thing 1"], None)
    assert asked(why="because of 0", kind="other") == (["thing 0"], None)
    assert client.get("/api/acts?kind=none", headers=headers).status_code == 422


def test_one_click_chooses_yesterday_and_keeps_who(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts_page, "utc_now", lambda: NOW + timedelta(days=1))
    act(0, who="api:bot")
    act(24, about="today's thing", who="api:bot")
    client = client_of(ADMINISTRATOR)
    page = shown(client, "/acts/?who=api%3Abot")
    link = "who=api%3Abot&amp;since=2026-01-05&amp;until=2026-01-05"
    assert f'<a href="?{link}">Yesterday</a>' in page
    page = shown(client, "/acts/?" + link.replace("&amp;", "&"))
    assert f'<a href="?{link}" aria-current="true">Yesterday</a>' in page
    assert "thing 0" in page
    assert "today&#x27;s thing" not in page
