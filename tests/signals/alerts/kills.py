"""Kills the processes that take alerts, and the workers that make signals and exits of them.

Run as `python -m tests.signals.alerts.kills [ROUNDS]`: 200 rounds, in a folder of its own. It
prints what is wrong; with ARGO_DATA_DIR it plays in that folder, which must be migrated.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

from tests.installation import Installation
from tests.killing import run_and_kill


class Rounds:
    """Each round sends alerts of one kind, and kills whoever works on them."""

    def __init__(self, seed: int) -> None:
        from django.test import Client

        from signals.alerts.senders import create_sender

        self.chance = random.Random(seed)
        mapping = {"fields": {"target": "$.target", "stop": "$.stop"}}
        _, token = create_sender("tv", "tradingview", who="a test", mapping=mapping)
        _, by_range = create_sender(
            "atr", "tradingview", who="a test", mapping={"target": "3ATR", "stop": "2ATR"}
        )
        self.client, self.number = Client(headers={"Host": "localhost"}), 0
        self.hook, self.by_range = f"/hooks/{token}", f"/hooks/{by_range}"
        self.signals: list[str] = []
        self.waiting: list[str] = []
        self.exits: list[str] = []
        self.ended: list[str] = []
        self.unread, self.is_deadly = 0, False
        self.longest = 0.0

    def run(self, act: Callable[["Rounds"], None] | None = None) -> None:
        """Send alerts of one kind, and kill whoever works on them."""
        self.number += 1
        (act or self.chance.choice(KINDS))(self)
        self._work()

    def a_signal_and_its_exit(self) -> None:
        """Send a signal with an id, and end it."""
        body = {"symbol": f"S{self.number}", "action": "buy", "price": 150.5}
        opened = self._sent(self.hook, body | {"id": f"a{self.number}"})["signals"]
        self._work()
        closing = body | {"action": "exit", "price": 160, "id": f"b{self.number}"}
        self.exits += self._sent(self.hook, closing)["exits"]
        self.signals += opened
        self.ended += opened

    def one_of_the_market(self) -> None:
        """Send one of which a worker makes the signal, because it needs the market."""
        body = {"symbol": "AAPL", "action": "buy", "price": 450, "id": f"c{self.number}"}
        self.waiting += self._sent(self.by_range, body)["signals"]

    def one_without_a_mark(self) -> None:
        """Send one that is known by its text alone, and one that cannot be read."""
        body = {"symbol": f"S{self.number}", "action": "sell", "price": 151.5}
        self.signals += self._sent(self.hook, body)["signals"]
        self._sent(self.hook, f"nothing {self.number}")
        self.unread += 1

    def _sent(self, hook: str, body: object) -> dict[str, Any]:
        """Send it, now and then in a process that is killed, and again, as senders do then."""
        text = body if isinstance(body, str) else json.dumps(body)
        if self.is_deadly and self.chance.random() < 1 / 3:
            self._killed(lambda: self.client.post(hook, text, content_type="text/plain"))
        answer = self.client.post(hook, text, content_type="text/plain")
        assert answer.status_code in (200, 202, 422), answer.content
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def _work(self) -> None:
        if self.is_deadly:
            self._killed(work)
            return
        work()

    def measure(self) -> None:
        """Find out how long a process works that is not killed."""
        self.number += 1
        self.one_of_the_market()
        began = time.monotonic()
        self._run(None)
        self.longest = time.monotonic() - began

    def _killed(self, act: Callable[[], object]) -> None:
        self._run(self.chance.uniform(0.2, 1.0) * self.longest, act)

    def _run(self, after: float | None, act: Callable[[], object] | None = None) -> None:
        from django.db import connections

        connections.close_all()
        run_and_kill(act or work, after)

    def faults(self) -> list[str]:
        """Let a worker do all that is left; return what is wrong then."""
        from signals.models import Alert, DeadLetter, OutcomeChange, Signal

        for _ in range(3):
            work()
        stored = sorted(Signal.objects.values_list("signal_id", flat=True))
        outcomes = OutcomeChange.objects.filter(why__startswith="exit alert")
        alerts = Alert.objects.all()
        unread = alerts.filter(status="unread").values_list("body", flat=True)
        checks = {
            "a signal was lost, or came twice": stored == sorted(self.signals + self.waiting),
            "an exit was lost": set(self.exits) == _ids(alerts.filter(status="done")),
            "an exit ended other signals": sorted(
                outcomes.values_list("signal__signal_id", flat=True)
            ) == sorted(self.ended),
            "an unread alert was lost": len({*unread}) == self.unread,
            "something waits": not alerts.filter(status="waiting").exists(),
            "something is a dead letter": not DeadLetter.objects.exists(),
        }  # fmt: skip
        return [fault for fault, is_right in checks.items() if not is_right]


KINDS = (
    Rounds.one_without_a_mark, Rounds.a_signal_and_its_exit, Rounds.one_of_the_market,
)  # fmt: skip


def _ids(alerts: Any) -> set[str]:  # noqa: ANN401  # a QuerySet
    return {*alerts.values_list("alert_id", flat=True)}


def work() -> None:
    """Do what workers do: flush, read the file of alerts, and carry out what waits."""
    from signals.alerts import rows, waiting
    from signals.clock import utc_now
    from signals.config import flusher

    flusher().flush()
    rows.drain()
    waiting.carry_out_due(utc_now() + timedelta(hours=1))
    flusher().flush()


def play(rounds: int, seed: int) -> list[str]:
    """Play so many rounds; return what is wrong."""
    django.setup()
    game = Rounds(seed)
    for kind in KINDS:  # nobody is killed: what is loaded once is loaded before any forks
        game.run(kind)
    game.measure()
    game.is_deadly = True
    for _ in range(rounds):
        game.run()
    return game.faults()


def main(rounds: int) -> int:
    """Play in this process's data folder, or in a new one; return the exit code."""
    if "ARGO_DATA_DIR" in os.environ:
        seed = random.randrange(2**32)
        faults = play(rounds, seed)
        print(json.dumps(faults and [f"seed {seed}", *faults]))
        return bool(faults)
    with tempfile.TemporaryDirectory() as name:
        argo = Installation(Path(name))
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        with argo.start("-m", "tests.signals.alerts.kills", str(rounds)) as process:
            return process.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
