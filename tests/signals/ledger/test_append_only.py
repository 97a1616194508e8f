"""Signals cannot be edited or deleted in any way that Django offers."""

import pytest

from signals.models import AppendOnly, Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db


@pytest.fixture
def signal() -> Signal:
    signal_id = SignalTracker("test").log_signal(a_signal())
    return Signal.objects.get(signal_id=signal_id)


def test_a_signal_is_neither_saved_nor_deleted(signal: Signal) -> None:
    with pytest.raises(AppendOnly):
        signal.save()
    with pytest.raises(AppendOnly):
        signal.delete()


def test_many_signals_are_neither_updated_nor_deleted(signal: Signal) -> None:
    with pytest.raises(AppendOnly):
        Signal.objects.update(symbol="X")
    with pytest.raises(AppendOnly):
        Signal.objects.filter(pk=signal.pk).delete()
    with pytest.raises(AppendOnly):
        Signal.objects.bulk_create([signal])
    with pytest.raises(AppendOnly):
        Signal.objects.bulk_update([signal], ["symbol"])
