"""A worker is woken soon after new signals, but not for each; no caller waits for the broker."""

import logging
import subprocess
import sys
import threading
import time

import pytest

from signals.wakeup import WakeUp
from tests.installation import ROOT


class Broker:
    """Counts the tasks sent; a slow broker blocks each until `go` is set."""

    def __init__(self, *, slow: bool = False, broken: bool = False) -> None:
        self.sent: list[float] = []
        self.came = threading.Event()
        self.go = threading.Event()
        self._broken = broken
        if not slow:
            self.go.set()

    def send(self, task: str, expires: float) -> None:
        self.sent.append(time.monotonic())
        self.came.set()
        self.go.wait(30)
        if self._broken:
            raise ConnectionError("no broker")


def test_one_waiting_signal_sends_the_task_after_the_linger() -> None:
    broker = Broker()
    wake_up = WakeUp("a.task", send=broker.send, batch_size=50, linger=0.05)
    wake_up.notify(1)
    assert broker.came.wait(10)
    time.sleep(0.3)
    assert len(broker.sent) == 1


def test_a_full_batch_does_not_wait_for_the_linger() -> None:
    broker = Broker()
    wake_up = WakeUp("a.task", send=broker.send, batch_size=50, linger=60)
    wake_up.notify(49)
    assert not broker.came.wait(0.2)
    wake_up.notify(1)
    assert broker.came.wait(10)


def test_many_signals_send_few_tasks() -> None:
    broker = Broker()
    wake_up = WakeUp("a.task", send=broker.send, batch_size=50, linger=0.1)
    for _ in range(2000):
        wake_up.notify(5)
    assert broker.came.wait(10)
    time.sleep(0.5)
    assert len(broker.sent) <= 10


def test_a_slow_broker_delays_no_caller() -> None:
    broker = Broker(slow=True)
    wake_up = WakeUp("a.task", send=broker.send, batch_size=1, linger=0.01)
    wake_up.notify(1)
    assert broker.came.wait(10)
    for _ in range(1000):
        wake_up.notify(1)  # returns at once, or this test would take half an hour
    broker.go.set()


def test_a_failed_send_is_a_warning_and_the_next_one_is_tried(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = Broker(broken=True)
    wake_up = WakeUp("a.task", send=broker.send, batch_size=1, linger=0.01)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            broker.came.clear()
            wake_up.notify(1)
            assert broker.came.wait(10)
        time.sleep(0.1)
    assert "beat will look again" in caplog.text


def test_many_first_callers_at_once_start_one_thread() -> None:
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(50):
            _notify_from_many()
    finally:
        sys.setswitchinterval(switch)


def _notify_from_many() -> None:
    failures: list[BaseException] = []
    wake_up = WakeUp("a.task", send=lambda *_: None, batch_size=50, linger=60)

    def notify() -> None:
        try:
            wake_up.notify(1)
        except AttributeError as error:
            failures.append(error)

    threads = [threading.Thread(target=notify) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


LAST = """
from signals.wakeup import WakeUp
wake_up = WakeUp("a.task", send=lambda *_: print("sent"), batch_size=50, linger=30)
wake_up.notify(1)
"""


def test_the_end_of_the_program_sends_what_is_waiting() -> None:
    began = time.monotonic()
    assert subprocess.check_output([sys.executable, "-c", LAST], cwd=ROOT) == b"sent\n"
    assert time.monotonic() - began < 30
