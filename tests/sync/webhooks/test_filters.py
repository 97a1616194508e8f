"""The list of events: a filter for every column, in either order of time."""

from collections.abc import Iterator

import pytest
from django.test import Client

from signals.keys import create_key
from sync.api.filters import EventQuery
from sync.models import EventDelivery
from tests.databases import both_databases
from tests.execution.threads import on_database
from tests.lists import check_filters, check_plans, items
from tests.sync.conftest import Clock
from tests.sync.test_filters import TRIED
from tests.sync.webhooks.conftest import Publish, Subscribe
from tests.sync.webhooks.inbox import Inbox

PATH = "/api/sync/webhooks/events"


@pytest.fixture
def database(using: str) -> Iterator[None]:
    with on_database(using):
        yield


@both_databases
@pytest.mark.usefixtures("database")
def test_every_filter_finds_the_event_with_its_value(
    subscribe: Subscribe, publish: Publish, clock: Clock
) -> None:
    client = Client(headers={"X-API-Key": create_key("ops", ["admin"])})
    subscribe(Inbox(port=1))
    publish(2)
    now = clock()
    EventDelivery.objects.update(attempted_at=now, delivered_at=now, status="dead", **TRIED)
    first = items(client, PATH, sort="time")[0]
    assert check_filters(client, PATH, EventQuery, first) == {"status", "name"}
    assert len(items(client, PATH, name="desk", status="dead", limit=1)) == 2
    assert items(client, PATH, status="pending") == []
    check_plans(client, PATH, EventQuery, "event_deliveries")
