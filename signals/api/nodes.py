"""The endpoint /api/nodes."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from signals import nodes
from signals.api.auth import reader
from signals.nodes import NodeView, State

router = Router(tags=["health"])


class NodeOut(Schema):
    """A node: a data folder that stores in this database. `is_this` is the one that answers.

    `undrained` counts lines of its journal that are not in the database, and `oldest_age` is for
    how many seconds the first of them has waited: of this node as they are now, of others as they
    last reported.
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


class NodesOut(Schema):
    """Every node that ever stored in this database."""

    nodes: list[NodeOut]


@router.get("", auth=reader, response=NodesOut, summary="Every node, and what it has not stored")
def get_nodes(request: HttpRequest) -> dict[str, list[NodeView]]:
    """Return every node with its last heartbeat, its undrained lines and their oldest age."""
    return {"nodes": nodes.listed()}
