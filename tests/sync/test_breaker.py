"""While Alpine is spared, one worker alone looks whether it answers again."""

import pytest

from sync import breaker
from sync.breaker import Permit
from sync.models import Breaker
from tests.sync.conftest import Clock

pytestmark = pytest.mark.django_db


def test_of_two_workers_that_look_at_one_moment_one_makes_the_probe(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Breaker.objects.create(pk=1, probe_at=clock(), failures=5)
    seen_by_both = breaker.ALPINE.state()
    assert breaker.ALPINE.permit(clock(), "key") is Permit.ONE
    monkeypatch.setattr(breaker.CircuitBreaker, "state", lambda self: seen_by_both)
    assert breaker.ALPINE.permit(clock(), "key") is Permit.NONE
