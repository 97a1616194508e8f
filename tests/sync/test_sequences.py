"""With any answers in any order, each delivery ends as delivered or dead."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.alpine import RETRIES
from sync.models import Breaker, Delivery
from sync.worker import Deliverer
from tests.sync.alpine_server import Alpine, Behave, accept, answer, cut_short, reset
from tests.sync.conftest import Clock, Log

pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS: dict[str, Behave] = {
    "200": answer(200),
    "201": accept,
    "302": answer(302),
    "400": answer(400),
    "401": answer(401),
    "409": answer(409),
    "429": answer(429),
    "500": answer(500),
    "503, soon": answer(503, Retry_After="2"),
    "503, late": answer(503, Retry_After="7200"),
    "reset": reset,
    "cut short": cut_short,
}
ACCEPTING = {"200", "201", "409"}
REFUSING = {"400"}
sequences = st.lists(
    st.lists(st.sampled_from(sorted(ANSWERS)), max_size=12), min_size=1, max_size=6
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequences=sequences)
def test_every_delivery_ends(
    sequences: list[list[str]], log: Log, deliverer: Deliverer, alpine: Alpine, clock: Clock
) -> None:
    Breaker.objects.all().delete()
    alpine.times.clear()
    plans = dict(zip(log(len(sequences)), sequences, strict=True))
    got: dict[str, list[str]] = {signal_id: [] for signal_id in plans}

    def choose(signal_id: str, times: int) -> Behave:
        plan = plans[signal_id]
        got[signal_id].append(plan[times - 1] if times <= len(plan) else "201")
        return ANSWERS[got[signal_id][-1]]

    alpine.choose = choose
    for _ in range(sum(map(len, sequences)) + deliverer.max_attempts * len(plans) + 2):
        deliverer.run()
        clock.pass_by(timedelta(days=2).total_seconds())

    for row in Delivery.objects.filter(signal__signal_id__in=plans).select_related("signal"):
        answers = got[row.signal.signal_id]
        assert row.status == ("delivered" if answers[-1] in ACCEPTING else "dead")
        assert not (ACCEPTING | REFUSING) & set(answers[:-1])  # an ended one is not sent again
        assert 1 <= row.attempts <= deliverer.max_attempts
        # A call that ended with a refused key or an open breaker costs no attempt.
        free = sum(each in ("401", "reset", "cut short") for each in answers)
        assert len(answers) <= (row.attempts + free) * (1 + RETRIES)
