"""The space of the data folder, and the hours that it lasts."""

from datetime import timedelta
from pathlib import Path

import pytest

from signals.dialect import database_now
from signals.health import disk
from signals.models import DiskSample

pytestmark = pytest.mark.django_db
GIB = 2**30


def sampled(minutes_ago: float, free: int, node: str = "node") -> None:
    at = database_now() - timedelta(minutes=minutes_ago)
    DiskSample.objects.create(node=node, at=at, free_bytes=free)


def codes(monkeypatch: pytest.MonkeyPatch, free: int) -> list[str]:
    monkeypatch.setattr(disk, "free_bytes", lambda folder: free)
    return [problem.kind.code for problem in disk.disk_problems("node", Path("/"))]


def test_the_rate_is_that_of_the_last_hour() -> None:
    sampled(90, 1000 * GIB)
    sampled(30, 101 * GIB)
    sampled(5, 90 * GIB)
    sampled(30, 500 * GIB, "another")
    assert disk.hours_left("node", 100 * GIB) == pytest.approx(50, rel=0.01)


def test_without_a_fall_or_long_enough_there_is_no_rate() -> None:
    assert disk.hours_left("node", GIB) is None
    sampled(9, 2 * GIB)
    assert disk.hours_left("node", GIB) is None
    sampled(30, GIB)
    assert disk.hours_left("node", GIB) is None


def test_a_disk_that_is_nearly_full_or_will_be_within_a_day_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert codes(monkeypatch, 10 * GIB) == []
    assert codes(monkeypatch, GIB // 4) == ["disk.low"]
    sampled(30, 11 * GIB)
    assert codes(monkeypatch, 10 * GIB) == ["disk.filling"]
    assert codes(monkeypatch, 100 * GIB) == []


def test_a_sample_is_stored_every_few_minutes(tmp_path: Path) -> None:
    sampled(2000, GIB)
    for _ in range(3):
        disk.sample("node", tmp_path)
    (row,) = DiskSample.objects.all()
    assert row.free_bytes == pytest.approx(disk.free_bytes(tmp_path), rel=0.1)
    DiskSample.objects.update(at=row.at - timedelta(minutes=6))
    disk.sample("node", tmp_path)
    assert DiskSample.objects.count() == 2
