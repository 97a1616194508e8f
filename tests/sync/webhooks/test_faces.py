"""Subscriptions through the command, the API, the admin pages and the page of what runs."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from signals.keys import create_key
from signals.models import Act
from sync.models import EventDelivery, Subscription
from sync.webhooks.signing import public_key
from tests.sync.alpine_server import answer
from tests.sync.webhooks.conftest import Publish, Subscribe
from tests.sync.webhooks.inbox import Inbox

pytestmark = pytest.mark.django_db
LIST, EVENTS = "/admin/sync/subscription/", "/admin/sync/eventdelivery/"


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call_command("webhook", *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def api() -> Client:
    return Client(headers={"X-API-Key": create_key("ops", ["admin"])})


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    return client


def test_the_command_makes_lists_revokes_and_enables(
    capsys: pytest.CaptureFixture[str], inbox: Inbox
) -> None:
    made = command(capsys, "--create", "desk", "--url", inbox.url, "--types", "halt.set")
    assert made["secret"].startswith("whsec_")
    assert made["public_key"] == public_key()
    (listed,) = command(capsys, "--list")["subscriptions"]
    assert (listed["name"], listed["types"], listed["state"]) == ("desk", ["halt.set"], "active")
    assert made["secret"] not in str(listed)
    command(capsys, "--revoke", "desk", "--why", "moved")
    assert command(capsys, "--list")["subscriptions"][0]["reason"] == "moved"
    command(capsys, "--enable", "desk")
    assert command(capsys, "--rotate-secret", "desk")["secret"] != made["secret"]
    assert Act.objects.filter(about="subscription desk").count() == 4
    assert made["secret"] not in str(list(Act.objects.values()))


def test_the_command_tests_a_receiver_and_fails_with_it(
    capsys: pytest.CaptureFixture[str], inbox: Inbox, subscribe: Subscribe
) -> None:
    subscribe(inbox)
    assert command(capsys, "--test", "desk")["status"] == 204
    inbox.always(answer(410))
    with pytest.raises(CommandError) as raised:
        call_command("webhook", "--test", "desk")
    assert raised.value.returncode == 1
    assert Subscription.objects.get().state == "active"


@pytest.mark.parametrize("arguments", [
    ("--create", "x"), ("--create", "x", "--url", "nonsense"), ("--revoke", "nobody"),
    ("--create", "events", "--url", "https://receiver.example/"), ("--replay", "desk"),
    ("--create", "a/b", "--url", "https://receiver.example/"),
    ("--create", "x", "--url", "https://receiver.example/", "--types", "halt.sett"),
    ("--create", "x", "--url", "https://receiver.example/", "--types", ""),
    ("--replay", "desk", "--since", "yesterday"),
])  # fmt: skip
def test_wrong_usage_exits_with_2(subscribe: Subscribe, arguments: tuple[str, ...]) -> None:
    subscribe(Inbox(port=1))
    with pytest.raises(CommandError) as raised:
        call_command("webhook", *arguments)
    assert raised.value.returncode == 2
    assert Subscription.objects.count() == 1


def post(api: Client, path: str, **body: object) -> Any:  # noqa: ANN401
    return api.post(f"/api/sync/webhooks{path}", body, content_type="application/json")


def test_the_api_makes_tests_and_ends_a_subscription(
    api: Client, inbox: Inbox, publish: Publish
) -> None:
    made = post(api, "", name="desk", url=inbox.url, types=["all"])
    assert made.status_code == 201
    assert post(api, "", name="desk", url=inbox.url, types=["all"]).status_code == 409
    publish(2)
    found = api.get("/api/sync/webhooks/desk").json()
    assert (found["pending"], found["state"]) == (2, "active")
    assert made.json()["secret"] not in api.get("/api/sync/webhooks").content.decode()
    assert post(api, "/desk/test").json()["accepted"]
    assert post(api, "/desk/revoke").json()["state"] == "revoked"
    assert post(api, "/desk/revoke").status_code == 409
    assert post(api, "/desk/enable").json()["state"] == "active"
    assert post(api, "/desk/secret").json()["secret"] != made.json()["secret"]
    page = api.get("/api/sync/webhooks/events?limit=1&status=pending&name=desk").json()
    assert json.loads(page["items"][0]["body"])["data"] == {"number": 1}
    assert page["next"]
    EventDelivery.objects.update(status="dead")
    assert post(api, "/desk/retry").json() == {"queued": 2}
    EventDelivery.objects.update(status="delivered")
    assert post(api, "/desk/replay", since="2029-12-31T00:00:00Z").json() == {"queued": 2}
    assert post(api, "/nobody/test").status_code == 404


@pytest.mark.parametrize("body", [
    {}, {"name": "x", "url": "https://r.example/", "types": []}, {"name": "x" * 101},
    {"name": "x", "url": "http://169.254.169.254/", "types": ["all"]},
    {"name": "x\0", "url": "https://r.example/", "types": ["all"]},
    {"name": "x", "url": "https://r.example/\0", "types": ["all"]},
    {"name": "x", "url": "https://r.example/", "types": ["nonsense"]},
    {"name": "x", "url": "https://r.example/", "types": ["all"], "secret": "whsec_mine"},
])  # fmt: skip
def test_the_api_refuses_what_is_invalid(api: Client, body: dict[str, object]) -> None:
    assert post(api, "", **body).status_code == 422
    assert not Subscription.objects.exists()


def test_the_pages_make_a_subscription_and_show_its_secret_once(
    admin: Client, inbox: Inbox
) -> None:
    form = {"name": "desk", "url": inbox.url, "types": ["halt.set"]}
    page = admin.post(f"{LIST}create/", form, follow=True).content.decode()
    secret = Subscription.objects.get().secret
    assert secret.replace("=", "") in page.replace("=", "")
    later = admin.get(LIST).content.decode()
    assert secret not in later
    assert public_key() in later.replace("&#x3D;", "=")
    pk = Subscription.objects.get().pk
    assert secret not in admin.get(f"{LIST}{pk}/change/").content.decode()
    refused = admin.post(f"{LIST}create/", form | {"url": "ftp://x"}).content.decode()
    assert "must be https" in refused
    assert Subscription.objects.count() == 1


def test_the_pages_act_on_subscriptions_and_events(
    admin: Client, inbox: Inbox, subscribe: Subscribe, publish: Publish
) -> None:
    subscription = subscribe(inbox)
    publish(3)
    for action, state in (("revoke", "revoked"), ("enable", "active"), ("test", "active")):
        form = {"action": action, "_selected_action": [subscription.pk]}
        assert admin.post(LIST, form, follow=True).status_code == 200
        subscription.refresh_from_db()
        assert subscription.state == state
    assert len(inbox.got) == 1
    EventDelivery.objects.update(status="dead")
    rows = list(EventDelivery.objects.values_list("pk", flat=True))
    admin.post(EVENTS, {"action": "send_again", "_selected_action": rows[:2]}, follow=True)
    assert EventDelivery.objects.filter(status="pending").count() == 2
    page = admin.get(f"{LIST}{subscription.pk}/change/").content.decode()
    assert all(f'<a href="{EVENTS}{pk}/change/">halt.set</a>' in page for pk in rows)
    assert '<span class="tag bad">dead</span>' in page
    for query in ("", f"?subscription={subscription.pk}", "?status=dead", "?type=halt.set"):
        assert b"msg_" in admin.get(EVENTS + query).content


def test_the_page_of_what_runs_shows_each_subscription(
    admin: Client, inbox: Inbox, subscribe: Subscribe, publish: Publish
) -> None:
    assert b"Nobody has subscribed to events" in admin.get("/running/").content
    subscribe(inbox, "the desk")
    publish(1)
    assert b"the desk" in admin.get("/running/").content


def test_metrics_count_what_waits(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, settings: Any,  # noqa: ANN401
) -> None:  # fmt: skip
    settings.METRICS_PUBLIC = True
    subscribe(inbox)
    publish(5)
    assert b"argo_events_pending 5.0" in Client().get("/metrics").content
