"""The list of changes of outcomes, of all signals: a filter for every column."""

from collections.abc import Iterator

import pytest
from django.test import Client

from signals.api.change_schemas import ChangeQuery
from tests.databases import DATABASES
from tests.execution.threads import on_database
from tests.lists import check_filters, check_plans, items
from tests.signals.api.outcomes import a_stored, patch

pytestmark = pytest.mark.django_db(databases=DATABASES)
PATH = "/api/signals/outcomes"


@pytest.fixture
def database(using: str) -> Iterator[None]:
    with on_database(using):
        yield


@pytest.mark.usefixtures("database")
def test_every_change_is_listed_and_found_by_its_values(writer: Client) -> None:
    one, two = a_stored(), a_stored(symbol="MSFT", strategy="other")
    patch(writer, one)
    patch(writer, two, {"outcome": "loss", "exit_price": 146.0, "why": "stopped"})
    patch(writer, one, {"outcome": None, "exit_price": None, "why": "a mistake"})
    newest = items(writer, PATH)
    assert [each["signal_id"] for each in newest] == [one, two, one]
    assert items(writer, PATH, sort="time", limit=1) == newest[::-1]
    untried = check_filters(writer, PATH, ChangeQuery, newest[1])
    assert untried == ChangeQuery.handled
    assert items(writer, PATH, signal_id=two) == items(writer, PATH, outcome="loss") == [newest[1]]
    assert items(writer, PATH, outcome="open") == [newest[0]]
    assert items(writer, PATH, min_exit_price=150) == [newest[2]]
    assert items(writer, PATH, max_profit_loss_pct=0, fields="why") == [{"why": "stopped"}]
    assert items(writer, PATH, order_id="x") == items(writer, PATH, signal_id="none") == []


def test_no_filter_makes_a_page_sort_or_scan_without_a_bound(reader: Client) -> None:
    check_plans(reader, PATH, ChangeQuery, "outcome_changes")
