"""Every door of the web server, and the one scope that opens it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver

from argo.api import api
from signals.keys import SCOPES, create_key

pytestmark = pytest.mark.django_db
READ, WRITE, TRADE, ADMIN = "read", "write", "trade", "admin"
EVERYBODY = "everybody"
"""Answers without a key; what it says to whom has tests of its own."""

CALLS = {
    "GET /api/signals": READ,
    "POST /api/signals": WRITE,
    "POST /api/signals/batch": WRITE,
    "GET /api/signals/latest": READ,
    "GET /api/signals/stats": READ,
    "GET /api/signals/export": READ,
    "GET /api/signals/outcomes": READ,
    "POST /api/signals/outcomes": WRITE,
    "GET /api/signals/{signal_id}": READ,
    "GET /api/signals/{signal_id}/verify": READ,
    "GET /api/signals/{signal_id}/outcome": READ,
    "PATCH /api/signals/{signal_id}/outcome": WRITE,
    "GET /api/signals/{signal_id}/outcome/changes": READ,
    "GET /api/signals/{signal_id}/votes": READ,
    "GET /api/signals/{signal_id}/record": READ,
    "GET /api/signals/{signal_id}/lifecycle": READ,
    "GET /api/signals/{signal_id}/explain": READ,
    "GET /api/instruments/{path:symbol}": READ,
    "GET /api/nodes": READ,
    "GET /api/metrics/summary": READ,
    "GET /api/senders": READ,
    "POST /api/senders": ADMIN,
    "GET /api/senders/{name}": READ,
    "PATCH /api/senders/{name}": ADMIN,
    "POST /api/senders/{name}/revoke": ADMIN,
    "POST /api/senders/{name}/test": READ,
    "GET /api/alerts": READ,
    "POST /api/alerts/read": WRITE,
    "POST /api/alerts/resolve": WRITE,
    "GET /api/alerts/{alert_id}": READ,
    "GET /api/sync/status": READ,
    "GET /api/sync/deliveries": READ,
    "POST /api/sync/deliveries/retry": WRITE,
    "GET /api/sync/webhooks": ADMIN,
    "POST /api/sync/webhooks": ADMIN,
    "GET /api/sync/webhooks/events": ADMIN,
    "GET /api/sync/webhooks/{name}": ADMIN,
    "POST /api/sync/webhooks/{name}/revoke": ADMIN,
    "POST /api/sync/webhooks/{name}/enable": ADMIN,
    "POST /api/sync/webhooks/{name}/secret": ADMIN,
    "POST /api/sync/webhooks/{name}/test": ADMIN,
    "POST /api/sync/webhooks/{name}/replay": ADMIN,
    "POST /api/sync/webhooks/{name}/retry": ADMIN,
    "GET /api/execution/status": READ,
    "GET /api/execution/decisions": READ,
    "GET /api/execution/orders": READ,
    "GET /api/execution/fills": READ,
    "GET /api/execution/positions": READ,
    "GET /api/execution/halts": READ,
    "GET /api/execution/accounts": READ,
    "GET /api/execution/accounts/{name}": READ,
    "GET /api/execution/limits": READ,
    "POST /api/execution/halt": TRADE,
    "POST /api/execution/resume": TRADE,
    "POST /api/execution/signals/{signal_id}/execute": TRADE,
    "GET /api/analysis/signals": READ,
    "GET /api/analysis/report": READ,
    "GET /api/analysis/compare": READ,
    "GET /api/acts": ADMIN,
    "GET /api/feed": READ,
    "GET /api/feed/stream": READ,
    "GET /api/health": EVERYBODY,
    "GET /api/health/ready": EVERYBODY,
}
"""Every call of the API. A new one is added here, with the least that opens it: whatever moves
money or positions takes `trade`, and whatever makes keys, senders or accounts takes `admin`."""

PAGES = {
    "": "is the dashboard, and asks for a login",
    "dashboard/panels/": "takes a login",
    "signals/": "asks for a login",
    "running/": "asks for a login",
    "running/retry/": "asks for a login, and takes a POST from its page",
    "problems/": "asks for a login",
    "history/": "asks for a login",
    "limits/": "asks for a login",
    "acts/": "asks for an administrator's login",
    "profile/": "asks for a login",
    "preferences/": "asks for a login",
    "favicon.ico": "is public",
    "admin/login/code/": "takes the code after a right password",
    "admin/": "asks for a login itself",
    "api/": "has the calls above",
    "hooks/<path:token>": "takes a sender's token",
    "witness/add-checkpoint": "takes a checkpoint that a watched log has signed",
    "witness/<str:digest>/checkpoint": "is public, as a witness must be",
    "record/": "is public, if RECORD_PUBLIC says so",
    "record/bundle.zip": "is public, if RECORD_PUBLIC says so",
    "record/policy": "is public, if RECORD_PUBLIC says so",
    r"^record/((?:checkpoint$|verify\.py$|(?:tile|checkpoints|stamps)/).*)$": "is public, if "
    "RECORD_PUBLIC says so",
    "record/<path:strategy>/badge.svg": "is public, if RECORD_PUBLIC says so",
    "record/<path:strategy>/": "is public, if RECORD_PUBLIC says so",
    "metrics": "takes a key that may read",
    "report/": "asks for a login",
    "report/compare/": "asks for a login",
    "report/daily/": "asks for a login",
    "report/daily/<str:name>": "asks for a login",
    "report/signal/": "asks for a login",
    "docs/": "is the manual, for everybody",
}
"""Every other address, and who may see it."""


def calls() -> Iterator[str]:
    """Yield each call that the API really has."""
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            full = f"/api{prefix}{path}"
            for operation in view.operations:
                yield from (f"{method} {full}" for method in operation.methods)


def test_every_call_has_its_scope_in_the_table() -> None:
    assert sorted(calls()) == sorted(CALLS)


def test_every_other_address_is_known() -> None:
    assert {str(each.pattern) for each in get_resolver().url_patterns} == PAGES.keys()


def ask(call: str, client: Client) -> int:
    method, path = call.split()
    path = path.replace("{signal_id}", "nope").replace("{path:symbol}", "AAPL")
    path = path.replace("{name}", "nope")
    body: Any = {} if method == "GET" else {"data": "{}", "content_type": "application/json"}
    return client.generic(method, path, **body).status_code


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_with_one_scope_opens_the_calls_of_this_scope_alone(scope: str) -> None:
    headers = {"X-API-Key": create_key(scope, [scope])}
    bearer = {"Authorization": f"Bearer {headers['X-API-Key']}"}
    for call, needed in CALLS.items():
        if needed == EVERYBODY:
            continue
        for client in (Client(headers=headers), Client(headers=bearer)):
            refused = ask(call, client) == 403
            assert refused == (needed != scope), call


def test_without_a_key_every_call_is_closed_except_those_for_everybody() -> None:
    answers = {call: ask(call, Client()) for call in CALLS}
    assert {call for call, status in answers.items() if status != 401} == {
        call for call, needed in CALLS.items() if needed == EVERYBODY
    }


def test_somebody_logged_in_as_staff_may_read_and_nothing_more() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("clerk"))
    closed = {call for call in CALLS if ask(call, client) == 401}
    assert closed == {call for call, needed in CALLS.items() if needed in (WRITE, TRADE, ADMIN)}


def test_somebody_logged_in_who_may_see_no_signal_may_read_none() -> None:
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert {call for call in CALLS if ask(call, client) != 401} == {
        call for call, needed in CALLS.items() if needed == EVERYBODY
    }


@pytest.mark.parametrize("scope", SCOPES)
def test_health_and_metrics_tell_more_only_to_a_key_that_may_read(scope: str) -> None:
    client = Client(headers={"X-API-Key": create_key(scope, [scope])})
    health, metrics = client.get("/api/health"), client.get("/metrics")
    if scope == READ:
        assert "problems" in health.json()
        assert metrics.status_code == 200
    else:
        assert (health.status_code, metrics.status_code) == (403, 403)
        assert health.json().keys() == {"detail", "errors"}
        assert f"may not {READ}" in json.dumps(health.json())


def test_health_without_a_key_tells_only_its_status() -> None:
    assert Client().get("/api/health").json().keys() == {"status", "database"}
    assert Client().get("/api/health/ready").json().keys() == {"status", "reasons"}
