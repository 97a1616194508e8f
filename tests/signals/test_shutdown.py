"""A worker that is asked to stop ends its long loops after the batch at hand."""

from collections.abc import Iterator

import pytest
from celery.signals import worker_shutting_down
from pytest_django import Settings

from signals.models import Signal
from signals.shutdown import stopping
from signals.tasks import flush
from signals.tracker import SignalTracker
from tests.samples import signals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked_to_stop() -> Iterator[None]:
    """Do what Celery does when its worker gets SIGTERM."""
    worker_shutting_down.send(sender=None)
    yield
    stopping.clear()


@pytest.mark.usefixtures("asked_to_stop")
def test_a_flush_ends_after_one_transaction(settings: Settings) -> None:
    settings.SIGNAL_FLUSH_ROWS = 10
    SignalTracker("api").accept(signals(35))
    assert [flush(), flush()] == [10, 10]
    assert Signal.objects.count() == 20
    stopping.clear()
    assert flush() == 15
