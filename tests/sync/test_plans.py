"""No query of sync scans all past deliveries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from signals.clock import utc_now
from signals.keys import create_key
from sync.claims import Claims
from sync.recovery import retry_dead
from sync.status import brief, status

pytestmark = pytest.mark.django_db(transaction=True)


def plans_of(work: Callable[[], object]) -> list[str]:
    """Return SQLite's plan for each query: the lines of EXPLAIN QUERY PLAN."""
    found: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: ANN401
        if "deliveries" in sql and not many:
            with context["cursor"].db.wrap_database_errors:
                raw = connection.connection.cursor()
                raw.execute(f"EXPLAIN QUERY PLAN {sql.replace('%s', '?')}", tuple(params or ()))
                found.extend(row[3] for row in raw.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        work()
    return found


def claim_and_renew() -> None:
    claims = Claims("me", timedelta(minutes=1))
    claims.claim(10, utc_now())
    claims.renew(utc_now())


def list_pending() -> None:
    headers = {"X-API-Key": create_key("t", ["read"])}
    assert Client(headers=headers).get("/api/sync/deliveries?status=pending").status_code == 200


@pytest.mark.parametrize(
    "work",
    [
        lambda: status(utc_now()),
        brief,
        claim_and_renew,
        lambda: retry_dead(utc_now()),
        lambda: retry_dead(utc_now(), since=utc_now()),
        list_pending,
    ],
    ids=["status", "brief", "claim", "retry_dead", "retry_dead since", "list"],
)
def test_every_query_uses_an_index(work: Callable[[], object]) -> None:
    plans = plans_of(work)
    assert plans
    assert not [plan for plan in plans if plan == "SCAN deliveries"]
