"""The period that the counters cover, as the doctor's sentences say it."""

import pytest

from argo.doctor.known import Known
from argo.metrics.samples import Growth
from signals.clock import utc_now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "in the last 1 second"),
        (20, "in the last 20 seconds"),
        (60, "in the last 60 seconds"),
        (89, "in the last 89 seconds"),
        (95, "in the last 2 minutes"),
        (1800, "in the last 30 minutes"),
        (3569, "in the last 59 minutes"),
        (3590, "in the last hour"),
        (3900, "in the last hour"),
    ],
)
def test_the_period_is_said_as_exactly_as_it_is_known(seconds: float, text: str) -> None:
    assert Known(utc_now(), [], Growth(seconds, {})).period() == text
