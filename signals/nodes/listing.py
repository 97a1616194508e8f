"""Lists the nodes, as commands, the API and health show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from argo.errors import Conflict, NotFound
from signals import config
from signals.dialect import database_now
from signals.ledger.journal_state import Undrained, undrained
from signals.ledger.ownership import is_recent
from signals.models import JournalCursor, Node


class State(StrEnum):
    """How a node is.

    `unknown`: its journal was drained, but no process of it has given a sign of life yet.
    """

    ALIVE = "alive"
    STOPPED = "stopped"
    GONE = "gone"
    RETIRED = "retired"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class NodeView:
    """A node as it is now.

    Attributes:
        node: its short name; `identity` is the whole one, from its `signals.id`.
        host: the machine, and `folder` the data folder on it, as it last reported them.
        state: one of `State`.
        is_this: it is the node that answers.
        last_heartbeat: the last sign of life of one of its processes; None without any.
        undrained: lines of its journal that were not in the database when it last reported.
        oldest_age: seconds since the first of these lines was received; None if nothing waits.
        is_drained: nothing can be left in its journal: it was stopped, or adopted, empty.
        rival: another living folder with the same identity, or an empty text.
    """

    node: str
    identity: str
    host: str
    folder: str
    state: State
    is_this: bool
    last_heartbeat: datetime | None
    undrained: int
    oldest_age: float | None
    is_drained: bool
    rival: str
    retired_at: datetime | None
    retired_why: str
    given_up: int | None


def listed() -> list[NodeView]:
    """Return every node that ever stored in this database: the living first, the retired last.

    The figures of this node are as they are now, those of the others as they last reported them.
    """
    own = config.journal()
    now = database_now()
    views = [
        _view(node, now, undrained(own) if node.identity == own.identity else None)
        for node in _nodes()
    ]
    order = list(State)
    return sorted(views, key=lambda view: (order.index(view.state), view.host, view.identity))


def reported(now: datetime) -> list[NodeView]:
    """Return the nodes that have given a sign of life and are not retired, as they reported."""
    nodes = Node.objects.exclude(seen_at=None).filter(retired_at=None).order_by("identity")
    return [_view(node, now, None) for node in nodes]


def find(name: str) -> Node:
    """Return the node with this name: its identity, or the beginning of it.

    Raises NotFound if no node has it, and Conflict if several have it.
    """
    found = [node for node in _nodes() if name and node.identity.startswith(name)]
    exact = [node for node in found if node.identity == name]
    if not found:
        raise NotFound(f"There is no node {name!r}: argo nodes lists them.")
    if len(found) > 1 and not exact:
        names = ", ".join(node.identity for node in found)
        raise Conflict(f"Several nodes begin with {name!r}: {names}. Give more of the name.")
    return (exact or found)[0]


def state_of(node: Node, now: datetime) -> State:
    """Return how the node is, by the database's clock."""
    if node.retired_at is not None:
        return State.RETIRED
    if node.seen_at is None:
        return State.UNKNOWN
    if not node.place:
        return State.STOPPED
    return State.ALIVE if is_recent(node.seen_at, now) else State.GONE


def _nodes() -> Iterator[Node]:
    """Yield the nodes, and one that is not stored for this one and for each journal with a cursor
    if it never reported."""
    nodes = {node.identity: node for node in Node.objects.order_by("pk")}
    yield from nodes.values()
    journals = JournalCursor.objects.order_by("pk").values_list("journal", flat=True)
    for identity in dict.fromkeys([*journals, config.journal().identity]):
        if identity not in nodes:
            yield Node(identity=identity)


def _view(node: Node, now: datetime, live: Undrained | None) -> NodeView:
    lines, oldest = live or Undrained(node.undrained, node.oldest_at)
    return NodeView(
        node=node.name,
        identity=node.identity,
        host=node.host,
        folder=node.folder,
        state=state_of(node, now),
        is_this=live is not None,
        last_heartbeat=node.seen_at,
        undrained=lines,
        oldest_age=max(0.0, (now - oldest).total_seconds()) if oldest else None,
        is_drained=node.is_drained,
        rival=node.rival if is_recent(node.rival_seen_at, now) else "",
        retired_at=node.retired_at,
        retired_why=node.retired_why,
        given_up=node.given_up,
    )
