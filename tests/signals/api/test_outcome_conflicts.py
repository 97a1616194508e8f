"""Several people edit one outcome at once: one of them succeeds, the others get a conflict."""

from collections.abc import Iterator
from functools import partial

import pytest
from django.test import Client

from signals.config import flusher
from signals.keys import create_key
from signals.ledger.flush import FlushResult
from signals.models import DeadLetter, OutcomeChange, Signal
from tests.databases import DATABASES, both_databases
from tests.execution.threads import in_threads, on_database
from tests.signals.api.outcomes import WIN, a_stored, get, patch, path_of, send
from tests.signals.ledger.flush.helpers import in_processes

PRICES = (158.0, 159.0, 160.0, 161.0)


@pytest.fixture(autouse=True)
def database(using: str) -> Iterator[None]:
    with on_database(using):
        yield


@pytest.fixture
def client() -> Client:
    return Client(headers={"X-API-Key": create_key("writer", ["read", "write"])})


def edited(client: Client, signal_id: str, tag: str, price: float) -> int:
    status: int = send(client, signal_id, WIN | {"exit_price": price}, tag).status_code
    return status


@both_databases
def test_one_of_many_threads_succeeds_and_everyone_who_overwrites(
    client: Client, using: str
) -> None:
    signal_id = a_stored()
    for _ in range(3):
        tag = get(client, signal_id)["etag"]
        before = OutcomeChange.objects.count()
        acts = [partial(edited, client, signal_id, tag, price) for price in PRICES]
        assert sorted(in_threads(using, acts)) == [200, 412, 412, 412]
        assert OutcomeChange.objects.count() == before + 1
        patch(client, signal_id, {"outcome": None, "exit_price": None, "why": "again"})
    acts = [partial(edited, client, signal_id, "*", price) for price in PRICES]
    assert in_threads(using, acts) == [200] * 4
    changes = client.get(f"{path_of(signal_id)}/changes").json()
    assert {each["after"]["exit_price"] for each in changes[-4:]} == set(PRICES)
    assert changes[-1]["after"]["exit_price"] == get(client, signal_id)["exit_price"]
    assert flusher().flush() == FlushResult(changes=10)
    assert not DeadLetter.objects.exists()


@both_databases
def test_one_of_many_processes_succeeds(client: Client, using: str) -> None:
    signal_id = a_stored()
    tag = get(client, signal_id)["etag"]

    def edit(price: float) -> None:
        with on_database(using):
            status = edited(client, signal_id, tag, price)
        assert status in (200, 412), status

    in_processes(*(partial(edit, price) for price in PRICES))
    change = OutcomeChange.objects.get()
    assert Signal.objects.get().exit_price == change.after["exit_price"]


@pytest.mark.django_db(databases=DATABASES)
@pytest.mark.parametrize("signal_id", ["nope", "%00"])
def test_an_impossible_id_is_not_found(client: Client, signal_id: str) -> None:
    assert client.get(path_of(signal_id)).status_code == 404
    assert send(client, signal_id, WIN).status_code == 404
