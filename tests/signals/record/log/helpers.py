"""Nodes that enter into one record, and the machine that publishes it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from signals.locks import FileLock
from signals.models import RecordEntry
from signals.record.formats.entries import Entry, parse_entry
from signals.record.formats.policy import parse_policy
from signals.record.log.disk import Disk
from signals.record.log.entering import Enterer
from signals.record.log.keys import KeyFiles
from signals.record.log.opening import Opening
from signals.record.log.publishing import Publisher
from signals.record.log.service import owner_of
from signals.record.log.tables import entries_between, head_of
from signals.record.verifier.check import Asked
from signals.record.verifier.cli import verify
from signals.record.verifier.report import Report
from tests.signals.feed.helpers import Node as FeedNode

ORIGIN = "argo.example/record"


class Node(FeedNode):
    """A data folder that enters its lines into the record."""

    def __init__(self, folder: Path, using: str, accounts: Iterable[str] = ()) -> None:
        super().__init__(folder, using)
        self.folder = folder
        self.enterer = Enterer(self.journal, using, accounts=lambda: accounts)

    def enter(self, *numbers: int) -> list[str]:
        """Store signals and enter them."""
        ids = self.store(*numbers)
        self.enterer.enter()
        return ids

    def publisher(
        self, origin: str = ORIGIN, *, now: Callable[[], datetime] | None = None
    ) -> Publisher:
        """Return what signs the record in this node's data folder."""
        opening = Opening(
            origin, owner_of(self.journal), Disk(self.folder), KeyFiles(self.folder, origin),
            self.using, now or (lambda: datetime.now(UTC)),
        )  # fmt: skip
        return Publisher(opening, FileLock(self.folder / "record.lock"), timedelta(days=1))

    def publish(self) -> int:
        return self.publisher().publish()

    @property
    def disk(self) -> Disk:
        return Disk(self.folder)

    def published(self) -> list[bytes]:
        """Return the entries that the folder shows."""
        shown = self.disk.published()
        return self.disk.folder.tiles(shown.size).entries(0, shown.size) if shown else []

    def verified(self) -> Report:
        """Return what the verifier finds in the whole published record."""
        signers = KeyFiles(self.folder, ORIGIN).both()
        policy = "".join(f"log {each.key}\n" for each in signers) + "quorum none\n"
        return verify(str(self.folder / "record"), Asked(parse_policy(policy.encode())))


def entries(using: str) -> list[Entry]:
    """Return all entries in the tables."""
    head = head_of(using)
    size = head.size if head else 0
    return [parse_entry(each.data) for part in entries_between(0, size, using) for each in part]


def kinds(using: str) -> list[str]:
    """Return the kinds of all entries in order."""
    return list(RecordEntry.objects.using(using).order_by("pk").values_list("kind", flat=True))
