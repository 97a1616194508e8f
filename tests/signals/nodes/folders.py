"""Data folders of other nodes, and what these reported."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from signals.dialect import database_now
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.models import Node
from signals.owner import place_of
from signals.tracker import SignalTracker
from tests.samples import signals


def a_folder(folder: Path, count: int = 0, using: str = "default") -> Journal:
    """Return the journal of a new data folder, with this many signals that wait."""
    journal = Journal(folder / "signals.log")
    assert journal.identity
    if count:
        accept(journal, *signals(count), using=using)
    return journal


def accept(
    journal: Journal, *sent: dict[str, Any], using: str = "default", origin: str = "api"
) -> list[str]:
    """Write the signals into the journal; return their ids."""
    flusher = Flusher(journal, using=using)
    receipts = SignalTracker.with_parts(journal, flusher, origin=origin).accept(sent)
    return [receipt.signal_id for receipt in receipts]


def a_copy(journal: Journal, folder: Path) -> Journal:
    """Return the journal of a copy of its data folder."""
    journal.close()
    shutil.copytree(journal.path.parent, folder)
    return Journal(folder / journal.path.name)


def reported(
    journal: Journal,
    ago: float = 0.0,
    using: str = "default",
    **changes: Any,  # noqa: ANN401
) -> Node:
    """Store the node of this journal, as it reported `ago` seconds ago."""
    folder = journal.path.parent
    fields: dict[str, Any] = {
        "place": place_of(folder),
        "host": "far",
        "folder": str(folder),
        "seen_at": database_now(using) - timedelta(seconds=ago),
    }
    node, _ = Node.objects.using(using).update_or_create(
        identity=journal.identity, defaults=fields | changes
    )
    return node
