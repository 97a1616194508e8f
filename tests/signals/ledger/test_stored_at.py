"""When a row was stored, and how long that took."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.ledger.latency import latencies
from signals.ledger.rebuild import rebuild
from signals.ledger.recent import Recent, recent
from signals.metrics import LATENCY_BOUNDS, STORAGE_LATENCY, BatchHistogram
from signals.models import SignalContext
from signals.timestamps import utc_text
from signals.tracker import SignalTracker
from tests.samples import signals

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
Tracker = Callable[..., SignalTracker]


@pytest.fixture
def tracker_at(journal: Journal) -> Tracker:
    """Return a function that makes a tracker: signals come at NOW, and rows `delay` later."""

    def make(delay: timedelta, origin: str = "api") -> SignalTracker:
        flusher = Flusher(journal, clock=lambda: NOW + delay)
        return SignalTracker.with_parts(journal, flusher, origin=origin, clock=lambda: NOW)

    return make


def observed() -> tuple[float, float]:
    """Return how many latencies were observed in this process, and their sum."""
    samples = {
        sample.name: sample.value for sample in next(iter(STORAGE_LATENCY.collect())).samples
    }
    return samples["argo_storage_latency_seconds_count"], samples[
        "argo_storage_latency_seconds_sum"
    ]


@pytest.mark.django_db(transaction=True)
def test_a_row_says_when_it_was_stored(tracker_at: Tracker) -> None:
    before = observed()
    tracker_at(timedelta(milliseconds=250)).log_signals(signals(3))
    stored = SignalContext.objects.values_list("stored_at", flat=True)
    assert set(stored) == {utc_text(NOW + timedelta(milliseconds=250))}
    count, total = observed()
    assert count - before[0] == 3
    assert total - before[1] == pytest.approx(0.75)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("origin", ["replay", "import", "import-sync", "adopted"])
def test_the_past_has_no_latency(tracker_at: Tracker, origin: str) -> None:
    before = observed()
    tracker_at(timedelta(days=400), origin).log_signals(signals(3))
    assert observed() == before
    assert recent(timedelta(days=1), NOW + timedelta(days=400)).latencies == []


@pytest.mark.django_db(transaction=True)
def test_a_signal_that_was_stored_before_is_not_measured_again(tracker_at: Tracker) -> None:
    given = signals(2)
    tracker_at(timedelta(seconds=1)).log_signals(given)
    before = observed()
    tracker_at(timedelta(seconds=9)).log_signals(given)
    assert observed() == before


@pytest.mark.django_db(transaction=True, databases=["default", "postgresql"])
@pytest.mark.services("postgresql")
def test_a_rebuilt_row_does_not_say_when_it_was_stored(
    tracker_at: Tracker, journal: Journal
) -> None:
    tracker_at(timedelta(seconds=1)).log_signals(signals(2))
    rebuild(journal, using="postgresql", progress=lambda count: None)
    rebuilt = SignalContext.objects.using("postgresql").values_list("stored_at", flat=True)
    assert list(rebuilt) == [None, None]


def test_latencies_are_never_negative_and_skip_what_is_no_time() -> None:
    later = utc_text(NOW + timedelta(seconds=5))
    assert latencies([later, utc_text(NOW), "yesterday", "2025-01-15"], NOW) == [0.0, 0.0]


def test_many_observations_count_as_single_ones_do() -> None:
    amounts = [0.0, 0.01, 0.0100001, 0.3, 0.5, 0.5000001, 299, 300, 301, 1e9]
    together, singly = (
        BatchHistogram("t", "t", buckets=LATENCY_BOUNDS, registry=CollectorRegistry())
        for _ in range(2)
    )
    together.observe_each(amounts)
    together.observe_each([])
    for amount in amounts:
        singly.observe(amount)
    values = [
        [sample.value for metric in each.collect() for sample in metric.samples
         if not sample.name.endswith("_created")]
        for each in (together, singly)
    ]  # fmt: skip
    assert values[0] == pytest.approx(values[1])


def test_a_percentile_is_a_latency_that_occurred() -> None:
    found = Recent(100, 60.0, [float(number) for number in range(1, 101)])
    assert [found.percentile(each) for each in (50, 95, 99, 100)] == [50.0, 95.0, 99.0, 100.0]
    assert Recent(0, 60.0, []).percentile(50) is None
    assert Recent(1, 60.0, [7.0]).percentile(50) == 7.0


@pytest.mark.django_db(transaction=True)
def test_the_rate_of_a_window_is_of_live_signals_within_it(tracker_at: Tracker) -> None:
    tracker_at(timedelta(milliseconds=20)).log_signals(signals(6))
    tracker_at(timedelta(0), "replay").log_signals(signals(8)[6:])
    found = recent(timedelta(seconds=60), NOW + timedelta(seconds=30))
    assert (found.signals, found.rate) == (6, 0.1)
    assert found.latencies == pytest.approx([0.02] * 6)
    assert recent(timedelta(seconds=60), NOW + timedelta(seconds=61)).signals == 0


@pytest.mark.django_db(transaction=True)
def test_more_signals_than_one_answer_reads_give_the_rate_of_the_newest(
    tracker_at: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signals.ledger.recent.MAX_ROWS", 4)
    tracker_at(timedelta(0)).log_signals(signals(10))
    found = recent(timedelta(hours=1), NOW + timedelta(seconds=2))
    assert (found.signals, found.seconds, found.rate) == (4, 2.0, 2.0)
