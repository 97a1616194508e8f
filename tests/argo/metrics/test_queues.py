"""How many messages wait, from a broker that answers, answers late, or does not answer."""

import threading
import time
from collections.abc import Iterator

import pytest

from argo.metrics import queues
from argo.metrics.queues import Depths, QueueDepths


class Broker:
    """Gives one answer after the other; raises those that are errors.."""

    def __init__(self) -> None:
        self.answers: list[Depths | Exception] = []
        self.seconds = 0.0
        self.goes_on = threading.Event()

    def ask(self) -> Depths:
        self.goes_on.wait(self.seconds)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def broker() -> Iterator[Broker]:
    found = Broker()
    yield found
    found.goes_on.set()  # the thread that asks would delay the end of the tests


def test_the_first_scrape_waits_for_a_broker_that_answers_late(broker: Broker) -> None:
    broker.answers, broker.seconds = [{"flush": 3}], 3 * queues.PATIENCE
    assert QueueDepths(broker.ask).read() == {"flush": 3}


def test_a_broker_that_hangs_delays_a_scrape_for_a_moment(broker: Broker) -> None:
    broker.answers, broker.seconds = [{"flush": 3}], 60.0
    began = time.monotonic()
    assert QueueDepths(broker.ask).read() == {}
    assert time.monotonic() - began < 10.0


def test_an_answer_that_came_long_ago_is_not_reported(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PATIENCE", 0.0)
    monkeypatch.setattr(queues, "FIRST_PATIENCE", 0.0)
    broker.answers, broker.seconds = [{"flush": 3}, {"flush": 4}], 60.0
    depths = QueueDepths(broker.ask)
    assert depths.read() == {}
    broker.goes_on.set()
    monkeypatch.setattr(queues, "FIRST_PATIENCE", 10.0)
    real, late = time.monotonic, 2 * queues.MAX_AGE
    assert depths._asked
    depths._asked.result(10.0)
    monkeypatch.setattr(time, "monotonic", lambda: real() + late)
    assert depths.read() == {"flush": 4}


@pytest.mark.parametrize("error", [OSError("refused"), TimeoutError("timed out")])
def test_a_broker_that_fails_is_asked_again_by_the_next_scrape(
    broker: Broker, error: Exception
) -> None:
    broker.answers = [error, {"flush": 1}]
    depths = QueueDepths(broker.ask)
    assert depths.read() == {}
    assert depths.read() == {"flush": 1}
