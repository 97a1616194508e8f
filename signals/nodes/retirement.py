"""Retires a node that does not come back: it is no problem any more."""

import logging
import socket
from pathlib import Path

from django.db import transaction

from argo.errors import Conflict, FieldError, InvalidInput
from signals import acts
from signals.dialect import database_now
from signals.journal import Journal
from signals.ledger.journal_state import undrained
from signals.models import Node
from signals.nodes.listing import State, find, state_of

logger = logging.getLogger(__name__)


def retire(name: str, why: str, *, gives_up: bool = False) -> Node:
    """Retire the node with this name, and store the reason.

    Its journal must be drained: it was stopped empty, it was adopted, or its folder on this machine
    shows it. With `gives_up`, lines that are not drained are given up.

    Raises:
        InvalidInput: there is no reason.
        NotFound, Conflict: there is no such node, or it lives, or lines may be left.
    """
    if not why.strip():
        raise InvalidInput([FieldError("--why", "a reason is needed, for those who ask later")])
    node = find(name)
    state = state_of(node, database_now())
    if state is State.RETIRED:
        raise Conflict(f"The node {node} was retired before: {node.retired_why}")
    if state is State.ALIVE:
        raise Conflict(
            f"The node {node} is alive. Stop Argo there first; if its machine has just died, try "
            "again a minute after its last heartbeat."
        )
    is_drained = node.is_drained or _is_seen_drained(node)
    if not is_drained and not gives_up:
        raise Conflict(_why_not(node))
    _store(node, why.strip(), None if is_drained else node.undrained)
    return node


def _store(node: Node, why: str, given_up: int | None) -> None:
    node.retired_at, node.retired_why, node.given_up = database_now(), why, given_up
    with transaction.atomic():
        node.save()
        lost = "" if given_up is None else f", {given_up} lines given up"
        acts.record(acts.Kind.NODE, f"node {node}", who=acts.COMMAND_LINE, at=node.retired_at,
                    after=f"retired{lost}", why=why)  # fmt: skip
    if given_up is None:
        logger.warning("The node %s was retired: %s", node, why)
    else:
        logger.error(
            "The node %s was retired (%s), and what its journal had was given up: %d lines, as it "
            "last reported",
            node, why, given_up,
        )  # fmt: skip


def _is_seen_drained(node: Node) -> bool:
    """Return whether the node's folder is on this machine, with nothing left to drain."""
    journal = Journal(Path(node.folder) / "signals.log")
    try:
        is_here = bool(node.folder) and node.host == socket.gethostname()
        if not is_here or journal.identity_path.read_text().strip() != node.identity:
            return False
        return undrained(journal).lines == 0
    except OSError:
        return False  # it is gone, or cannot be read


def _why_not(node: Node) -> str:
    where = f"{node.folder} on {node.host}" if node.folder else "its data folder"
    return (
        f"The journal of the node {node} may have lines that are not in the database "
        f"({node.undrained} when it last reported). If its folder still exists ({where}), bring "
        "them in with argo adopt_journal FOLDER, then retire it. If the folder is lost, give them "
        "up with --give-up."
    )
