"""The demo's Alpine: what it inherits, and whose signals it may get."""

from pathlib import Path

import pytest
from pytest_django import Settings

from argo.up.prepare import NotInOrder
from argo.up.receiver import KEY, receiver
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.tracker import SignalTracker
from sync.models import Delivery
from sync.outbox import enqueue
from tests.samples import signals

pytestmark = pytest.mark.django_db(transaction=True)


def log(journal: Journal, origin: str) -> None:
    flusher = Flusher(journal, handlers=[enqueue])
    SignalTracker.with_parts(journal, flusher, origin=origin).log_signals(signals(1))


@pytest.fixture
def after_a_demo(tmp_path: Path) -> None:
    (tmp_path / "alpine").mkdir()
    (tmp_path / "alpine" / KEY).write_text("key")


def test_it_answers_to_this_machine_and_to_what_probes_it(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["argo.example"]
    environment = receiver().environment
    assert environment["ARGO_ALLOWED_HOSTS"] == "127.0.0.1,argo.example"
    assert environment["ALPINE_API_KEY"] == environment["DATABASE_URL"] == ""


def test_it_gets_nothing_that_is_for_the_real_one(settings: Settings, journal: Journal) -> None:
    settings.ALPINE_API_KEY = "real"
    with pytest.raises(NotInOrder, match="ALPINE_API_KEY is set"):
        receiver()


@pytest.mark.parametrize("status", ["pending", "delivered"])
def test_a_folder_that_was_used_without_a_demo_is_left_alone(journal: Journal, status: str) -> None:
    log(journal, "replay")
    Delivery.objects.update(status=status)
    with pytest.raises(NotInOrder, match="ARGO_DATA_DIR"):
        receiver()


@pytest.mark.usefixtures("after_a_demo")
def test_after_a_demo_only_its_own_signals_go_on(journal: Journal) -> None:
    log(journal, "replay")
    assert receiver().key == "key"
    log(journal, "api")
    with pytest.raises(NotInOrder, match="not the demo's"):
        receiver()
