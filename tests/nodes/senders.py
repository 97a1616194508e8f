"""Senders: they post signals until each is acknowledged, and note what they were told."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from tests.nodes.world import PRICE, SYMBOL, World

PATIENCE = 8.0
"""Seconds for an answer: longer than SIGNAL_DURABILITY_WAIT."""
PAUSE = 0.05
"""Seconds between two attempts to send one signal."""
REST = 0.4
"""Seconds between two signals of one sender: the machine must do everything else, too."""
numbers = itertools.count(1)


@dataclass
class Notes:
    """What the senders know, independently of every part of Argo.

    Attributes:
        sent: each signal that was sent at least once, by its id.
        acknowledged: the ids that were acknowledged, with what was said of their durability.
        statuses: how often each HTTP status came; 0 for none.
    """

    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)


class Senders:
    """`count` threads; each sends its signals one after the other, to the nodes in turns."""

    def __init__(self, world: World, notes: Notes, count: int) -> None:
        self._world, self._notes = world, notes
        self._ends = threading.Event()
        self._gives_up = False
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=[each]) for each in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, gives_up: bool = False) -> None:
        """Send no new signal, and go on until each that was sent is acknowledged, or give up."""
        self._gives_up = gives_up
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        with requests.Session() as session:
            session.headers["X-API-Key"] = self._world.key
            for turn in itertools.count(number):
                if self._ends.is_set():
                    return
                self._deliver(session, a_signal(), turn)
                self._ends.wait(REST)

    def _deliver(self, session: requests.Session, made: dict[str, Any], turn: int) -> None:
        """Send a signal, to one node after the other, until one acknowledges it."""
        self._notes.sent[made["signal_id"]] = made
        for attempt in itertools.count(turn):
            node = self._world.nodes[attempt % len(self._world.nodes)]
            status, durability = _post(session, node.url, made)
            with self._lock:
                self._notes.statuses[status] = self._notes.statuses.get(status, 0) + 1
            if 200 <= status < 300:
                self._notes.acknowledged[made["signal_id"]] = durability
                return
            assert status in (0, 429, 503), f"a node answered {status}"
            if self._gives_up:
                return
            self._ends.wait(PAUSE)


def _post(session: requests.Session, url: str, made: dict[str, Any]) -> tuple[int, str]:
    """Return the status and the durability of the answer; 0 if there was none."""
    with suppress(requests.RequestException):
        answer = session.post(f"{url}/api/signals", json=made, timeout=PATIENCE)
        return answer.status_code, str(answer.json().get("durability"))
    return 0, ""


def a_signal() -> dict[str, Any]:
    """Return a new signal that can be traded at the market's price."""
    number = next(numbers)
    return {
        "signal_id": f"node-{number}",
        "symbol": SYMBOL,
        "action": "BUY",
        "entry_price": PRICE,
        "target_price": PRICE * 1.1,
        "stop_price": PRICE * 0.95,
        "confidence": 80 + number % 20_000 / 1000,
        "strategy": "nodes",
        "asset_type": "crypto",
        "timestamp": datetime.now(UTC).isoformat(),
    }


@contextmanager
def sending(world: World, notes: Notes, count: int = 4) -> Iterator[None]:
    """Send while the context is open, and then until all is acknowledged."""
    senders = Senders(world, notes, count)
    senders.start()
    try:
        yield
    except BaseException:
        senders.stop(gives_up=True)
        raise
    senders.stop()
