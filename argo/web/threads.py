"""The threads that run Django, and hand their results to the event loop."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar, cast

T = TypeVar("T")


class _Outcome(NamedTuple):
    """What a call returned, or the error that it raised."""

    value: Any
    error: BaseException | None = None


class _Call(NamedTuple):
    """A function to call, and who awaits the outcome."""

    function: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    outcome: "asyncio.Future[_Outcome]"


class Threads:
    """A fixed number of threads.

    `loop.run_in_executor` would pass each result through two futures and a condition, at the cost
    of reading another request.
    """

    def __init__(self, count: int) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"web_{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, function: Callable[[], T]) -> T:
        """Return what the function returns, or raise its error."""
        loop = asyncio.get_running_loop()
        call = _Call(function, loop, loop.create_future())
        self._calls.put(call)
        value, error = await call.outcome
        if error is not None:
            raise error
        return cast("T", value)

    def close(self, seconds: float) -> bool:
        """Let the threads end; return whether one still works after `seconds`."""
        for _ in self._threads:
            self._calls.put(None)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while call := self._calls.get():
            outcome = _outcome(call.function)
            with suppress(RuntimeError):  # the loop is closed: nobody awaits it any more
                call.loop.call_soon_threadsafe(_hand_over, call.outcome, outcome)
            del call, outcome  # a waiting thread holds on to no request


def _outcome(function: Callable[[], Any]) -> _Outcome:
    try:
        return _Outcome(function())
    except BaseException as error:  # noqa: BLE001  # who awaits it raises it
        return _Outcome(None, error)


def _hand_over(awaited: "asyncio.Future[_Outcome]", outcome: _Outcome) -> None:
    if not awaited.done():  # as it is if its task was cancelled
        awaited.set_result(outcome)
