"""One living data folder for each journal identity: a copy of it must not move its cursor."""

from datetime import datetime, timedelta

from argo.errors import Conflict
from signals.dialect import database_now, is_shared
from signals.journal import Journal
from signals.models import Node
from signals.owner import place_of

MISSING_AFTER = timedelta(seconds=60)
"""A process, or a node, with an older sign of life is missing; one that restarts is back before."""


class ClonedNode(Conflict):
    """Another living data folder has this folder's `signals.id`."""

    @classmethod
    def of(cls, journal: Journal, owner: Node) -> "ClonedNode":
        return cls(
            f"{journal.identity_path.parent} has the signals.id of another data folder that is in "
            f"use: {owner.folder} on {owner.host}. Two folders with one identity would take each "
            "other's place in the database. If this one is a copy, delete its signals.id, and a "
            "new one is made. If the folder was moved, stop Argo there, and start it here a minute "
            "later."
        )


def is_recent(moment: datetime | None, now: datetime) -> bool:
    """Return whether a sign of life is at most `MISSING_AFTER` old.

    One that is far in the future came from a clock that was wrong.
    """
    return moment is not None and abs(now - moment) <= MISSING_AFTER


def other_owner(journal: Journal, using: str = "default") -> Node | None:
    """Return the node if another living folder has claimed this journal's identity."""
    same = Node.objects.using(using).filter(identity=journal.identity)
    node = same.exclude(place__in=["", place_of(journal.path.parent)]).first()
    return node if node and is_recent(node.seen_at, database_now(using)) else None


def ensure_owner(journal: Journal, using: str = "default") -> None:
    """Check that no other living folder has this journal's identity. Raises ClonedNode.

    A SQLite file belongs to one machine, whose processes are locked there.
    """
    if is_shared(using) and (owner := other_owner(journal, using)):
        raise ClonedNode.of(journal, owner)
