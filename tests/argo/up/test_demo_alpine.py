"""The demo's Alpine: its settings, and which signals it may get."""

from pathlib import Path

import pytest
from pytest_django import Settings

from argo.up.demo_alpine import KEY_FILE, demo_alpine
from argo.up.prepare import CannotStart
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
    (tmp_path / "alpine" / KEY_FILE).write_text("key")


def test_it_accepts_requests_to_this_machine_and_from_the_probe(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["argo.example"]
    environment = demo_alpine().environment
    assert environment["ARGO_ALLOWED_HOSTS"] == "127.0.0.1,argo.example"
    assert environment["ALPINE_API_KEY"] == environment["DATABASE_URL"] == ""


def test_it_gets_nothing_that_is_meant_for_the_real_alpine(
    settings: Settings, journal: Journal
) -> None:
    settings.ALPINE_API_KEY = "real"
    with pytest.raises(CannotStart, match="ALPINE_API_KEY is set"):
        demo_alpine()


@pytest.mark.parametrize("status", ["pending", "delivered"])
def test_a_folder_that_was_used_without_the_demo_is_refused(journal: Journal, status: str) -> None:
    log(journal, "replay")
    Delivery.objects.update(status=status)
    with pytest.raises(CannotStart, match="ARGO_DATA_DIR"):
        demo_alpine()


@pytest.mark.usefixtures("after_a_demo")
def test_after_a_demo_a_folder_with_other_signals_is_refused(journal: Journal) -> None:
    log(journal, "replay")
    assert demo_alpine().key == "key"
    log(journal, "api")
    with pytest.raises(CannotStart, match="not the demo's"):
        demo_alpine()
