"""Reports the state of this node with its processes' heartbeats."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError

from signals.dialect import database_now
from signals.journal import Journal
from signals.ledger.journal_state import undrained
from signals.ledger.ownership import ClonedNode, other_owner
from signals.models import Node
from signals.nodes.claims import place_fields
from signals.owner import place_of

logger = logging.getLogger(__name__)
REPORT_EVERY = timedelta(seconds=10)
"""Less than a heartbeat's interval: of several processes of a node, one reports."""


def report(journal: Journal, using: str = "default") -> None:
    """Store that this node lives, and what its journal has that the database has not.

    If another living folder has the node, store that this one is its rival, which is a problem.
    """
    now = database_now(using)
    if owner := other_owner(journal, using):
        _store_rival(journal, owner, now, using)
        return
    place = place_of(journal.path.parent)
    node = _row(journal, using)
    is_own = node.place == place and not node.is_drained and node.retired_at is None
    if is_own and node.seen_at is not None and timedelta() <= now - node.seen_at < REPORT_EVERY:
        return
    if node.retired_at is not None:
        logger.warning("The node %s was retired, and is in use again", node.name)
    left = undrained(journal, using)
    Node.objects.using(using).filter(pk=node.pk, place=node.place).update(
        place=place,
        seen_at=now,
        undrained=left.lines,
        oldest_at=left.oldest,
        is_drained=False,
        retired_at=None,
        retired_why="",
        given_up=None,
        **place_fields(journal),
    )


def _row(journal: Journal, using: str) -> Node:
    nodes = Node.objects.using(using)
    try:
        return nodes.get_or_create(identity=journal.identity)[0]
    except IntegrityError:  # another process of the node made it at the same moment
        return nodes.get(identity=journal.identity)


def _store_rival(journal: Journal, owner: Node, now: datetime, using: str) -> None:
    where = place_fields(journal)
    rival = f"{where['folder']} on {where['host']}"
    if owner.rival != rival:
        logger.error("%s", ClonedNode.of(journal, owner))
    Node.objects.using(using).filter(pk=owner.pk).update(rival=rival, rival_seen_at=now)
