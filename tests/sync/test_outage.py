"""An hour without Alpine, on a fake clock, while thousands of signals arrive.

The long form: ARGO_OUTAGE_SIGNALS=20000 python -m pytest tests/sync/test_outage.py
"""

import os

import pytest

from sync import breaker
from sync.alpine import AlpineSyncService
from sync.models import Delivery
from sync.worker import Deliverer
from tests.receiver import counting
from tests.sync.conftest import Clock, Log

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RUN_INTERVAL = 5
"""Seconds between two runs, as with beat."""
HOUR = 3600
SIGNALS = int(os.environ.get("ARGO_OUTAGE_SIGNALS", "3000"))


def test_an_outage_of_an_hour_costs_no_delivery_an_attempt(
    log: Log, clock: Clock, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = f"http://127.0.0.1:{port}/api/signals"
    service = AlpineSyncService(endpoint, "the key", sleep=clock.sleep)
    ids: list[str] = []
    for second in range(0, HOUR, RUN_INTERVAL):
        if second % 60 == 0:
            ids += log(SIGNALS // 60)
        # A new deliverer each time, as in a new process: it knows the outage from the database.
        assert Deliverer(service, clock=clock).run().delivered == 0
        clock.pass_by(RUN_INTERVAL)

    attempts = Delivery.objects.exclude(attempts=0).values_list("attempts", flat=True)
    assert sum(attempts) < breaker.FAILURE_THRESHOLD
    assert set(Delivery.objects.values_list("status", flat=True)) == {"pending"}
    assert len([r for r in caplog.records if "Alpine does not answer" in r.message]) == 1

    with counting(port) as times:
        clock.pass_by(max(breaker.PROBE_WAITS))
        assert Deliverer(service, clock=clock).run().delivered == len(ids) == SIGNALS
        service.close()
    assert times == dict.fromkeys(ids, 1)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}
