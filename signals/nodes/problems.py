"""The problems of the nodes, the same on every machine of one database."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from signals.dialect import database_now
from signals.ledger.ownership import is_recent
from signals.nodes.listing import NodeView, State, reported
from signals.problems import Problem, ProblemKind

LATE_FLUSHES = 3
SHORTEST_WAIT = timedelta(minutes=1)
"""A line that waits for this long, and for three regular flushes, is a problem."""

GONE = ProblemKind(
    "node.gone",
    "Start Argo there again. If the machine is lost, bring in its lines with "
    "argo adopt_journal FOLDER, then argo nodes --retire NAME --why WHY.",
    "recover.md#a-node-is-gone",
)
BEHIND = ProblemKind(
    "node.behind",
    "Look at the log of the worker flush on that machine; argo flush_signals there stores what "
    "waits at once.",
    "recover.md#a-node-is-gone",
)
CLONED = ProblemKind(
    "node.cloned",
    "Stop Argo on the copy and delete its signals.id there; a new one is made when it starts.",
    "recover.md#two-folders-have-one-signalsid",
)
KINDS = (GONE, BEHIND, CLONED)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems that exist now.

    With a single node, the checks of its processes and of its journal say what is wrong.
    """
    now = database_now()
    views = reported(now)
    for view in views:
        if view.rival:
            yield _cloned(view)
    if len(views) > 1:
        for view in views:
            yield from _problems_of(view, now)


def _problems_of(view: NodeView, now: datetime) -> Iterator[Problem]:
    if view.state in (State.GONE, State.STOPPED):
        if not is_recent(view.last_heartbeat, now):
            yield _gone(view, now)
    elif view.oldest_age is not None and view.oldest_age > _longest_wait().total_seconds():
        yield BEHIND.found(f"{_named(view)} is behind: {_waiting(view)}.", view.identity)


def _cloned(view: NodeView) -> Problem:
    return CLONED.found(
        f"Two data folders with one signals.id are in use: {view.folder} on {view.host}, and "
        f"{view.rival}.",
        view.identity,
    )


def _gone(view: NodeView, now: datetime) -> Problem:
    assert view.last_heartbeat is not None  # noqa: S101  # `reported` has no other
    silence = (now - view.last_heartbeat).total_seconds()
    how = "was stopped" if view.state is State.STOPPED else "is gone"
    left = "its journal is drained" if view.is_drained else _waiting(view)
    return GONE.found(
        f"{_named(view)} {how}: the last sign of life was {silence:.0f} s ago; {left}.",
        view.identity,
    )


def _named(view: NodeView) -> str:
    return f"The node {view.node} ({view.folder} on {view.host})"


def _waiting(view: NodeView) -> str:
    oldest = f", the oldest for {view.oldest_age:.0f} s" if view.oldest_age is not None else ""
    return f"{view.undrained} lines of its journal were not in the database{oldest}"


def _longest_wait() -> timedelta:
    flushes = timedelta(seconds=LATE_FLUSHES * settings.SIGNAL_BATCH_TIMEOUT)
    return max(SHORTEST_WAIT, flushes)
