"""Comparing with Alpine queues again what it lacks, and touches nothing that changed meanwhile."""

from typing import Any

import pytest

from sync.alpine import AlpineSyncService
from sync.models import Delivery
from sync.recovery import resend_missing
from sync.worker import Deliverer
from tests.sync.conftest import Clock, Log

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_delivery_that_changed_during_the_comparison_is_not_reset(
    log: Log,
    deliverer: Deliverer,
    service: AlpineSyncService,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = log(3)
    deliverer.run()
    first = Delivery.objects.get(signal__signal_id=ids[0])

    monkeypatch.setattr(service, "has", lambda signal_id: False)
    real = Delivery.objects.filter

    def filter_later(*args: Any, **conditions: Any) -> Any:  # noqa: ANN401
        """Let another worker take one before the answers are used."""
        if "pk__in" in conditions:
            real(pk=first.pk).update(status="sending", claim="another", attempts=7)
        return real(*args, **conditions)

    monkeypatch.setattr(Delivery.objects, "filter", filter_later)
    found = resend_missing(service, 3, clock())
    assert (found.asked, found.there, found.queued) == (3, 0, 2)
    first.refresh_from_db()
    assert (first.status, first.claim, first.attempts) == ("sending", "another", 7)
