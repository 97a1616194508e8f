"""Claims a node for one data folder, so that a copy of the folder is noticed.

The claim is the folder's `place` in the node's row. It ends when Argo is stopped, and it is void
once the node is silent.
"""

import logging
import socket
import time
from collections.abc import Callable

from signals.dialect import database_now, is_shared
from signals.journal import Journal
from signals.ledger.journal_state import undrained
from signals.ledger.ownership import MISSING_AFTER, ClonedNode, other_owner
from signals.models import Node
from signals.owner import place_of

logger = logging.getLogger(__name__)
LOOK_EVERY = 1.0
"""Seconds between two looks whether another folder still gives signs of life."""


def claim(
    journal: Journal,
    say: Callable[[str], object] = logger.warning,
    *,
    using: str = "default",
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Claim the journal's node for its folder.

    If another folder had it a moment ago, wait until that one gives another sign of life, or is
    silent: this folder may be the same one after the machine has booted. Raises ClonedNode. A
    SQLite file belongs to one machine, so there the claim of another folder is always of the past.
    """
    identity = journal.identity  # also makes the folder, if it is new
    if is_shared(using):
        _wait_until_free(journal, say, using, pause)
    fields = {"place": place_of(journal.path.parent), "seen_at": database_now(using)}
    Node.objects.using(using).update_or_create(
        identity=identity, defaults=fields | place_fields(journal)
    )


def place_fields(journal: Journal) -> dict[str, str]:
    """Return where the journal is, for people."""
    return {"host": socket.gethostname(), "folder": str(journal.path.parent.absolute())}


def _wait_until_free(
    journal: Journal, say: Callable[[str], object], using: str, pause: Callable[[float], object]
) -> None:
    first = other_owner(journal, using)
    if first is None:
        return
    say(
        f"Another data folder with this signals.id was in use a moment ago: {first.folder} on "
        f"{first.host}. Waiting up to {MISSING_AFTER.seconds} s to see if it still is."
    )
    while owner := other_owner(journal, using):
        if _later(owner, first):
            raise ClonedNode.of(journal, owner)
        pause(LOOK_EVERY)


def _later(one: Node, other: Node) -> bool:
    return one.seen_at is not None and other.seen_at is not None and one.seen_at > other.seen_at


def release(journal: Journal, using: str = "default") -> None:
    """End the claim of this folder, after its last process ended; report what is left to drain."""
    left = undrained(journal, using)
    nodes = Node.objects.using(using).filter(
        identity=journal.identity, place__in=["", place_of(journal.path.parent)]
    )
    nodes.update(place="", undrained=left.lines, oldest_at=left.oldest, is_drained=not left.lines)


def reset(journal: Journal, using: str = "default") -> None:
    """End the claim of any folder: the database was restored, and nobody else uses it."""
    Node.objects.using(using).filter(identity=journal.identity).update(place="")
