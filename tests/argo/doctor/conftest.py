"""Counters whose growth is known, and questions without the answers of an earlier test."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings

from argo.metrics import samples
from signals.clock import utc_now
from tests.argo.health.conftest import nothing_known as nothing_known


@pytest.fixture
def counted() -> Iterator[None]:
    """Let a worker have copied the counters half an hour ago."""
    copy = settings.METRICS_DIR / samples.FILE
    copy.unlink(missing_ok=True)
    samples.sample(settings.METRICS_DIR, utc_now() - timedelta(minutes=30))
    yield
    copy.unlink()
