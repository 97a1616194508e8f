"""A broker whose calls end in time, for callers that must not wait, such as a web request."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from execution.brokers.protocol import (
    Account,
    Bracket,
    Broker,
    BrokerError,
    Close,
    FillReport,
    Holding,
    MoneyMove,
    OrderReport,
    Stop,
)

T = TypeVar("T")
MOST_CALLS = 16
"""Calls that are under way at once in one process, those included that nobody waits for."""
_free = threading.BoundedSemaphore(MOST_CALLS)


class TimedBroker:
    """Makes the calls of `broker` on threads of their own; all together take `seconds` at most.

    A call that takes longer raises a `BrokerError` that is not permanent, and goes on by itself: it
    is not known whether the broker did what it was asked to do. The threads do not delay the end of
    the process. `broker` must not use the database.
    """

    def __init__(self, broker: Broker, seconds: float) -> None:
        self._broker = broker
        self._seconds = seconds
        self._ends = time.monotonic() + seconds

    @property
    def name(self) -> str:
        return self._broker.name

    @property
    def carries_over(self) -> bool:
        return self._broker.carries_over

    def step(self, symbol: str) -> Decimal:
        return self._broker.step(symbol)

    def account(self) -> Account:
        return self._call(self._broker.account)

    def positions(self) -> Sequence[Holding]:
        return self._call(self._broker.positions)

    def submit(self, order: Bracket | Close | Stop) -> OrderReport:
        return self._call(lambda: self._broker.submit(order))

    def cancel(self, broker_id: str) -> None:
        self._call(lambda: self._broker.cancel(broker_id))

    def find(self, client_order_id: str) -> OrderReport | None:
        return self._call(lambda: self._broker.find(client_order_id))

    def open_orders(self) -> Sequence[OrderReport]:
        return self._call(self._broker.open_orders)

    def fills(self, since: datetime) -> Sequence[FillReport]:
        return self._call(lambda: self._broker.fills(since))

    def moves(self, since: datetime) -> Sequence[MoneyMove]:
        return self._call(lambda: self._broker.moves(since))

    def transfer(self, amount: Decimal) -> None:
        self._call(lambda: self._broker.transfer(amount))

    def _call(self, act: Callable[[], T]) -> T:
        left = self._ends - time.monotonic()
        if left <= 0 or not _free.acquire(blocking=False):
            raise self._no_answer()
        answer: Future[T] = Future()
        threading.Thread(target=_run, args=(act, answer), daemon=True).start()
        try:
            return answer.result(timeout=left)
        except FutureTimeout:
            raise self._no_answer() from None

    def _no_answer(self) -> BrokerError:
        text = f"the broker has not answered within {self._seconds:g} s: try again in a moment"
        return BrokerError(text, permanent=False)


def _run(act: Callable[[], T], answer: "Future[T]") -> None:
    try:
        answer.set_result(act())
    except BaseException as error:  # noqa: BLE001  # the caller gets it
        answer.set_exception(error)
    finally:
        _free.release()
