"""A machine that owns a record, which witnesses have cosigned, and whose lines can be proved."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from signals import config
from signals.clock import utc_now
from signals.models import RecordCheckpoint
from signals.record.formats.notes import parse_note
from signals.record.log.keys import KeyFiles
from signals.record.proving.checkpoints import quorum
from signals.record.signing import WitnessSigner
from signals.record.witnessing.marking import mark_witnessed
from signals.record.witnessing.receiving import store_cosignatures
from tests.signals.record.log.helpers import ORIGIN, Node

WITNESSES = [WitnessSigner(f"witness.example/w{n}", bytes([n]) * 32) for n in (1, 2, 3)]


class Owner(Node):
    """The machine of this process's settings, with two of three witnesses needed."""

    def cosign(self, *numbers: int) -> int:
        """Publish; let these witnesses cosign the last checkpoint, and mark it. Return its size."""
        self.publish()
        row = RecordCheckpoint.objects.order_by("-size")[0]
        text, now = parse_note(row.note.encode()).text, utc_now()
        for number in numbers:
            line = WITNESSES[number].cosign(text, int(now.timestamp()))
            store_cosignatures(row, quorum().witnesses[number], f"{line}\n", now)
        mark_witnessed(now)
        self.publish()
        return row.size

    def policy(self) -> bytes:
        """Return the policy of a reader who trusts the witnesses."""
        return quorum().policy(each.key for each in KeyFiles(self.folder, ORIGIN).both())


@pytest.fixture
def owner(tmp_path: Path, settings: Settings, db: None) -> Iterator[Owner]:
    """Return the owner of a record that has begun."""
    settings.DATA_DIR = tmp_path / "owner"
    settings.RECORD_ORIGIN = ORIGIN
    settings.RECORD_WITNESSES = [
        f"{each.key} https://w{number}.example" for number, each in enumerate(WITNESSES)
    ]
    settings.RECORD_WITNESSES_NEEDED = 2
    config.journal.cache_clear()
    made = Owner(tmp_path / "owner", "default")
    made.publish()
    yield made
    made.journal.close()
    config.journal().close()
    config.journal.cache_clear()
