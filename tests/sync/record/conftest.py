"""The owner of a record, two witnesses on loopback of whom one is needed, and a clock."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from signals import config
from signals.clock import utc_now
from signals.record.log import service
from signals.record.signing import WitnessSigner
from sync.models import RecordSubmission
from sync.record import problems, running
from sync.record.running import Runner
from sync.worker import DeliveryCounts
from tests.signals.record.log.helpers import ORIGIN, Node
from tests.sync.record.witness_server import Witness, serving

WITNESS = str(WitnessSigner("witness.example/w1", b"1" * 32).key)


@dataclass
class Clock:
    """A clock that a test sets forward."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def seconds(self) -> float:
        return self().timestamp()


class Owner(Node):
    """The machine of this process's settings."""

    clock = Clock()

    def publish(self) -> int:
        """Publish at the time of the clock."""
        return self.publisher(now=self.clock).publish()

    def round(self, *numbers: int) -> DeliveryCounts:
        """Enter signals, publish, and ask the witnesses an hour later."""
        self.enter(*numbers)
        self.publish()
        self.clock.ahead += timedelta(hours=1)
        return Runner(clock=self.clock).witness()


def codes(owner: "Owner") -> list[str]:
    return [each.kind.code for each in problems.problems(owner.clock())]


def states() -> list[tuple[str, int | None]]:
    rows = RecordSubmission.objects.order_by("pk")
    return list(rows.values_list("status", "last_status"))


@pytest.fixture
def witnesses() -> Iterator[list[Witness]]:
    with ExitStack() as stack:
        made = [Witness(WitnessSigner(f"witness.example/w{n}", bytes([n]) * 32)) for n in (1, 2)]
        yield [stack.enter_context(serving(each)) for each in made]


@pytest.fixture
def owner(
    witnesses: list[Witness],
    tmp_path: Path,
    settings: Settings,
    transactional_db: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Owner]:
    """Return the owner of a record that has begun."""
    settings.DATA_DIR = tmp_path / "owner"
    settings.RECORD_ORIGIN = ORIGIN
    settings.RECORD_WITNESSES = [each.named for each in witnesses]
    settings.RECORD_WITNESSES_NEEDED = 1
    monkeypatch.setattr(running, "wake_publish", lambda count: None)
    config.journal.cache_clear()
    running._load_once.cache_clear()
    service._publisher.cache_clear()
    made = Owner(tmp_path / "owner", "default")
    made.clock = Clock()
    for each in witnesses:
        each.clock = made.clock.seconds
    made.publish()
    yield made
    made.journal.close()
    config.journal().close()
    config.journal.cache_clear()
