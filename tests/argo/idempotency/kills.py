"""Kills processes that answer POSTs with an Idempotency-Key, and sends each POST again.

Run as `python -m tests.argo.idempotency.kills [ROUNDS]` with ARGO_DATA_DIR on a migrated folder;
without it in a folder of its own: 200 rounds. It prints what is wrong.
"""

import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import django

from tests.installation import Installation
from tests.killing import run_and_kill

SIGNALS, OUTCOMES, EXECUTE = "/api/signals", "/api/signals/outcomes", "/execute"
POINTS = {
    "before it acts": "signals.acts.of_request",
    "before its answer is kept": "argo.idempotency.posts.keep",
    "before a change is committed": "signals.ledger.outcomes.announce_outcome",
}
"""Where a process dies: before it calls this function."""
SAFE = {(SIGNALS, 202), (OUTCOMES, 200), (EXECUTE, 200), (EXECUTE, 202)}


class Answer(NamedTuple):
    status: int
    body: Any


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), 9)


class Rounds:
    """POSTs to signals, outcomes and execute; each is killed, sent again, and then checked."""

    def __init__(self, seed: int) -> None:
        from django.test import Client

        from signals.keys import create_key

        self.chance = random.Random(seed)
        key = create_key("k", ["write", "trade", "read"])
        self.client = Client(headers={"X-API-Key": key, "Host": "localhost"})
        self.number = 0
        self.faults: list[str] = []

    def run(self, point: str | None) -> None:
        """Do one of each; the process dies at this point, or at a random moment."""
        self.number += 1
        signal_id = self._signal(point)
        self._flush()
        self._outcome(point, signal_id)
        self._execute(point)

    def _signal(self, point: str | None) -> str:
        from signals.models import Signal

        before = Signal.objects.count()
        body = {
            "symbol": "AAPL", "action": "BUY", "entry_price": 150.0, "target_price": 160.0,
            "stop_price": 145.0, "confidence": 80 + self.number / 1000, "strategy": "kills",
            "asset_type": "stock", "timestamp": "2025-01-15T10:30:00Z",
        }  # fmt: skip
        answer = self._twice(point, SIGNALS, body)
        self._flush()
        self._check(Signal.objects.count() == before + 1, "a signal was stored twice, or lost")
        found = Signal.objects.filter(signal_id=answer.body["signal_id"])
        self._check(found.exists(), "the answer names another signal")
        return str(answer.body["signal_id"])

    def _outcome(self, point: str | None, signal_id: str) -> None:
        from signals.models import OutcomeChange

        edit = {"signal_id": signal_id, "outcome": "win", "exit_price": 155.0, "why": "a"}
        after_kill = self._later_edit(signal_id)
        answer = self._twice(point, OUTCOMES, [edit], between=after_kill)
        self._flush()
        changes = OutcomeChange.objects.filter(signal__signal_id=signal_id, why="a")
        self._check(changes.count() == 1, "an outcome was changed twice, or never")
        self._check(answer.body["changed"] == 1, f"the answer does not say so: {answer.body}")

    def _later_edit(self, signal_id: str) -> Callable[[], None]:
        """Return how somebody else edits the outcome that the killed process had recorded."""

        def edit() -> None:
            from signals.clock import utc_now
            from signals.config import journal
            from signals.ledger.outcomes import record_outcome
            from signals.models import OutcomeChange

            self._flush()
            if OutcomeChange.objects.filter(signal__signal_id=signal_id).exists():
                record_outcome(signal_id, outcome="loss", exit_price=140.0, who="b", why="b",
                               now=utc_now(), journal=journal())  # fmt: skip

        return edit

    def _execute(self, point: str | None) -> None:
        from execution.models import Decision, Order
        from signals.config import journal
        from signals.models import Act, Signal
        from signals.tracker import SignalTracker
        from tests.samples import a_signal

        made = a_signal(confidence=90 + self.number / 1000)
        (receipt,) = SignalTracker("python").accept([made])
        self._flush()
        assert journal().path.exists()
        signal_id = receipt.signal_id
        answer = self._twice(point, EXECUTE, {"why": "a"}, f"/api/execution/signals/{signal_id}")
        signal = Signal.objects.get(signal_id=signal_id)
        asked = Act.objects.filter(kind="execute", signal_id=signal_id).count()
        self._check(asked == 1, f"it was asked for {asked} times")
        self._check(not Decision.objects.get(pk=signal.pk).earlier, "it was decided twice")
        entries = Order.objects.filter(signal=signal, leg="entry").count()
        self._check(entries <= 1, "it was ordered twice")
        self._check(answer.body.get("signal_id") == signal_id, f"no decision: {answer.body}")

    def _twice(
        self,
        point: str | None,
        kind: str,
        body: object,
        base: str = "",
        between: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Post in a process that is killed, and again in this one after the lease."""
        path, key = f"{base}{kind}", f"key {self.number} {kind}".replace(" ", "-")
        self._killed(point, lambda: self._post(path, body, key))
        between()
        _let_the_lease_end()
        answer = self._post(path, body, key)
        is_said = (kind, answer.status) in SAFE
        self._check(is_said, f"{kind} was answered {answer.status}: {answer.body}")
        again = self._post(path, body, key)
        self._check(again == answer, f"the third answer is another one: {again}")
        return answer

    def _killed(self, point: str | None, act: Callable[[], object]) -> None:
        """Run it in a process of its own, and kill that."""
        from django.db import connections

        connections.close_all()
        with _dying(point):
            code = run_and_kill(act, None if point else self.chance.uniform(0, 0.12))
        self._check(code == -9 or point is None, f"nothing was killed at {point}: {code}")

    def _post(self, path: str, body: object, key: str) -> Answer:
        headers = {"Idempotency-Key": key}
        answer = self.client.post(
            path, json.dumps(body), content_type="application/json", headers=headers
        )
        return Answer(answer.status_code, json.loads(answer.content))

    def _flush(self) -> None:
        from signals.config import flusher

        flusher().flush()

    def _check(self, is_right: bool, fault: str) -> None:
        if not is_right:
            self.faults.append(f"round {self.number}: {fault}")


@contextmanager
def _dying(point: str | None) -> Iterator[None]:
    if point is None:
        yield
        return
    with patch(POINTS[point], _die):
        yield


def _let_the_lease_end() -> None:
    from argo.idempotency.answers import LEASE
    from argo.models import IdempotentAnswer
    from signals.clock import utc_now

    IdempotentAnswer.objects.filter(code=None).update(
        claimed_at=utc_now() - LEASE - timedelta(seconds=1)
    )


def play(rounds: int, seed: int) -> list[str]:
    """Kill at each point once, and then at random moments; return what is wrong."""
    django.setup()
    found = Rounds(seed)
    for point in ("before it acts", "before its answer is kept"):
        found.run(point)
    found.number += 1
    signal_id = found._signal(None)
    found._outcome("before a change is committed", signal_id)
    for _ in range(rounds):
        found.run(None)
    return found.faults


def main(rounds: int) -> int:
    """Play in this process's data folder, or in a new one; return the exit code."""
    if "ARGO_DATA_DIR" in os.environ:
        faults = play(rounds, seed=random.randrange(2**32))
        print(json.dumps(faults))
        return bool(faults)
    with tempfile.TemporaryDirectory() as name:
        argo = Installation(Path(name))
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        with argo.start("-m", "tests.argo.idempotency.kills", str(rounds)) as process:
            return process.wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
