"""Keys and staff: who may read and who may write."""

import json
import time
from typing import NoReturn

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.db import OperationalError, connection
from django.test import Client

from argo.errors import InvalidInput, NotFound
from signals.clock import utc_now
from signals.keys import create_key, revoke, trading_since_before
from signals.models import ApiKey
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
KEYS_OF_BEFORE = "argo.W010"
PATHS = ["/api/signals", "/api/signals/latest", "/api/signals/x", "/api/signals/x/verify"]


def _write(client: Client) -> int:
    body = json.dumps(a_signal())
    return client.post("/api/signals", body, content_type="application/json").status_code


def _halt(client: Client) -> int:
    body = {"why": "the test"}
    return client.post("/api/execution/halt", body, content_type="application/json").status_code


def _with(key: str) -> Client:
    return Client(headers={"X-API-Key": key})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", ["", "argo_wrong", "\N{SNOWMAN}"])
def test_without_a_valid_key_nothing_is_read(path: str, key: str) -> None:
    client = _with(key.encode().decode("latin-1")) if key else Client()
    assert client.get(path).status_code == 401


def test_without_any_key_configured_everything_is_refused() -> None:
    """Fault 21: without a key configured it let everyone in."""
    assert not ApiKey.objects.exists()
    assert _write(Client()) == 401
    assert _write(_with("")) == 401


def test_scopes() -> None:
    assert _write(_with(create_key("w", ["write"]))) == 202
    assert _write(_with(create_key("r", ["read"]))) == 403
    refused = _with(create_key("w", ["write"])).get("/api/signals")
    assert refused.status_code == 403
    assert "may not read" in refused.json()["detail"]
    assert _with(create_key("r", ["read"])).get("/api/signals").status_code == 200


def test_a_key_that_was_made_before_the_scopes_keeps_what_it_could_do() -> None:
    writer, reader = create_key("older", ["read", "write"]), create_key("looker", ["read"])
    assert _halt(_with(writer)) == 403
    ApiKey.objects.update(can_trade=None)  # as the migration leaves them
    time.sleep(1.001)  # the answer about a key is kept for a second
    assert _halt(_with(writer)) == 200
    assert _halt(_with(reader)) == 403
    assert [name.partition(" ")[0] for name in trading_since_before()] == ["older"]
    revoke(writer[:10], utc_now())
    assert trading_since_before() == []


def test_the_check_names_keys_that_trade_since_before_there_were_scopes() -> None:
    create_key("older", ["read", "write"])
    create_key("new", ["read", "write", "trade"])
    assert KEYS_OF_BEFORE not in {each.id for each in run_checks(databases=["default"])}
    ApiKey.objects.filter(name="older").update(can_trade=None)
    (warning,) = [each for each in run_checks(databases=["default"]) if each.id == KEYS_OF_BEFORE]
    assert "older (argo_" in warning.msg
    assert "new (argo_" not in warning.msg
    assert "api_key --create" in str(warning.hint)


def test_a_revoked_key_ends_within_a_second() -> None:
    key = create_key("w", ["read", "write"])
    assert _write(_with(key)) == 202
    revoke(key[:10], utc_now())
    time.sleep(1.001)
    assert _write(_with(key)) == 401
    with pytest.raises(NotFound):
        revoke(key[:10], utc_now())


def test_the_key_itself_is_stored_nowhere() -> None:
    key = create_key("w", ["write"])
    (row,) = ApiKey.objects.values_list()
    assert key not in map(str, row)


@pytest.mark.parametrize("scopes", [[], ["all"], ["read", "x"], ["Trade"]])
def test_unknown_scopes_are_refused(scopes: list[str]) -> None:
    with pytest.raises(InvalidInput, match="read, write"):
        create_key("x", scopes)


def test_staff_logged_in_to_the_admin_site_may_read_but_not_write() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("clerk"))
    assert client.get("/api/signals").status_code == 200
    assert _write(client) == 401


def test_a_user_who_is_not_staff_may_not_even_read() -> None:
    client = Client()
    client.force_login(User.objects.create_user("somebody"))
    assert client.get("/api/signals").status_code == 401


def no_database(*_: object) -> NoReturn:
    raise OperationalError("the connection is closed")


def test_a_known_key_still_logs_signals_while_the_database_is_away() -> None:
    key, other = create_key("w", ["write"]), create_key("other", ["write"])
    assert _write(_with(key)) == 202
    time.sleep(1.001)  # the answer about a key is kept for a second in any case
    with connection.execute_wrapper(no_database):
        assert _write(_with(key)) == 202
        assert _write(_with(other)) == 503
        assert _write(_with("argo_wrong")) == 503
    revoke(key[:10], utc_now())
    time.sleep(1.001)
    assert _write(_with(key)) == 401
    time.sleep(1.001)
    with connection.execute_wrapper(no_database):
        assert _write(_with(key)) == 503
