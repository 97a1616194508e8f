"""The growth of the counters within the last hour."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from argo.metrics import samples
from signals import metrics
from signals.clock import utc_now

NAME = "argo_synchronous_calls_total"
FOLDER: Path = settings.METRICS_DIR
FILE = FOLDER / samples.FILE


@pytest.fixture(autouse=True)
def no_copies() -> None:
    metrics.synchronous("api")
    FILE.unlink(missing_ok=True)


def copy(minutes_ago: int) -> None:
    """Copy the counters as they are, as if that were some time ago."""
    if FILE.exists():
        os.utime(FILE, (0, 0))
    samples.sample(FOLDER, utc_now() - timedelta(minutes=minutes_ago))


def grown(door: str = "api") -> tuple[int, float] | None:
    found = samples.growth(FOLDER, utc_now())
    return found and (round(found.seconds / 60), found.labelled(NAME).get(door, 0.0))


def test_without_a_copy_the_growth_is_unknown() -> None:
    assert grown() is None


def test_it_is_counted_from_the_oldest_copy_of_the_last_hour() -> None:
    for minutes in (90, 59, 30):
        copy(minutes)
        metrics.synchronous("api")
    assert grown() == (59, 2.0)


def test_a_counter_that_began_since_counts_from_0() -> None:
    copy(30)
    metrics.synchronous("adopted")
    assert grown("adopted") == (30, 1.0)


def test_copies_are_made_every_few_minutes_and_forgotten_after_an_hour() -> None:
    for _ in range(2):
        samples.sample(FOLDER, utc_now())
    assert FILE.read_text().count("Z") == 1
    os.utime(FILE, (0, 0))
    samples.sample(FOLDER, utc_now() + timedelta(minutes=66))
    assert FILE.read_text().count("Z") == 1


@pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', '{"2025'])
def test_a_damaged_file_is_made_anew(content: str) -> None:
    FILE.write_text(content)
    assert grown() is None
    copy(10)
    assert grown() == (10, 0.0)


def test_a_mean_is_of_what_was_observed_since() -> None:
    copy(10)
    metrics.FLUSH_BATCH.observe(10)
    metrics.FLUSH_BATCH.observe(20)
    found = samples.growth(FOLDER, utc_now())
    assert found is not None
    assert found.mean("argo_flush_batch_lines") == 15
    assert found.mean("argo_flush_commit_seconds") is None
