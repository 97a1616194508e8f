"""What may hang is asked on a thread, once, and waited for a limited time."""

import threading
import time
from collections.abc import Callable

import pytest

from argo.health.bounded import Bounded, NoAnswer


class Question:
    """Counts how often it is asked; answers once `go` is set."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.asked = 0
        self.go = threading.Event()
        if not hangs:
            self.go.set()

    def __call__(self) -> int:
        self.asked += 1
        self.go.wait(30)
        return self.asked


def answered(ask: Callable[[], int]) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            return ask()
        except NoAnswer:
            time.sleep(0.01)
    raise AssertionError("there was no answer")


def test_an_answer_is_given_again_while_it_is_fresh() -> None:
    kept = Bounded(Question(), wait=5.0, fresh=60.0)
    assert [kept(), kept()] == [1, 1]
    asked_anew = Bounded(Question(), wait=5.0)
    assert [asked_anew(), asked_anew()] == [1, 2]


def test_a_question_that_hangs_is_asked_once_until_it_is_answered() -> None:
    question = Question(hangs=True)
    bounded = Bounded(question, wait=0.5)
    with pytest.raises(NoAnswer, match=r"no answer within 0\.5 s"):
        bounded()
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(NoAnswer):
            bounded()
    assert time.monotonic() - began < 5, "later callers do not wait again"
    assert question.asked == 1
    question.go.set()
    assert answered(bounded) >= 1
    assert bounded() == question.asked


def test_an_error_reaches_the_caller() -> None:
    def fail() -> None:
        raise TimeoutError("the server's own")

    with pytest.raises(TimeoutError, match="the server's own"):
        Bounded(fail, wait=5.0)()
