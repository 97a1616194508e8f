"""Drains the data folder of a node that is lost into the database."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from argo.errors import Conflict, FieldError, InvalidInput
from signals import acts, config
from signals.dialect import database_now
from signals.journal import Journal
from signals.ledger.flush import FlushResult
from signals.ledger.ownership import is_recent
from signals.locks import UP, FileLock, LockedByAnother
from signals.models import Heartbeat, Node
from signals.nodes.listing import State, state_of
from signals.verification import Verification, verify

Progress = Callable[[int], object]


class Adoption(NamedTuple):
    """An adopted journal: its identity, what was stored, and what its verification found."""

    identity: str
    flushed: FlushResult
    verified: Verification


def adopt(folder: Path, progress: Progress = lambda count: None, *, processes: int = 1) -> Adoption:
    """Store every line of the journal in `folder` that the database lacks; verify it then.

    The journal keeps its identity and its own cursor: lines that are stored already are counted as
    such, and to do it again does no harm. The journal's files are not changed.

    Raises:
        InvalidInput: the folder has no journal, or is this node's own.
        Conflict: its node is alive, or Argo runs there, or it is a copy of this node's folder.
    """
    with closing(Journal(folder / "signals.log")) as journal:
        _check(journal)
        with _stopped(folder):
            flushed = _drain(journal, progress)
            verified = verify(journal, progress=progress, processes=processes)
            _store(journal)
    return Adoption(journal.identity, flushed, verified)


def _drain(journal: Journal, progress: Progress) -> FlushResult:
    total = FlushResult()
    for batch in config.flusher_of(journal).batches():
        total += batch
        progress(batch.lines)
    config.sequencer_of(journal).assign()
    return total


def _store(journal: Journal) -> None:
    now = database_now()
    with transaction.atomic():
        node, _ = Node.objects.update_or_create(
            identity=journal.identity,
            defaults={
                "place": "",
                "undrained": 0,
                "oldest_at": None,
                "is_drained": True,
                "adopted_at": now,
            },
        )
        acts.record(acts.Kind.NODE, f"node {node}", who=acts.COMMAND_LINE, at=now, after="adopted")


def _check(journal: Journal) -> None:
    folder = journal.path.parent
    own = config.journal()
    if not journal.identity_path.is_file():
        _refuse(f"{folder} has no signals.id, so it is no data folder of Argo")
    if own.path.parent.exists() and folder.samefile(own.path.parent):
        _refuse(f"{folder} is this node's own data folder: argo flush_signals stores what waits")
    if not journal.identity:
        _refuse(f"{journal.identity_path} is empty: put the right one back")
    if journal.identity == own.identity:
        raise Conflict(
            f"{folder} has this node's own signals.id: it is a copy of {own.path.parent}. Nothing "
            "of it is adopted."
        )
    _check_silent(journal)


def _refuse(why: str) -> None:
    raise InvalidInput([FieldError("FOLDER", why)])


def _check_silent(journal: Journal) -> None:
    """Raise Conflict if a process of the node gave a sign of life a moment ago."""
    now = database_now()
    node = Node.objects.filter(identity=journal.identity).first()
    if node is None:
        rows = Heartbeat.objects.filter(node=journal.identity).order_by("seen_at")
        last = rows.last()
        alive_at = last.seen_at if last and is_recent(last.seen_at, now) else None
    else:
        alive_at = node.seen_at if state_of(node, now) is State.ALIVE else None
    if alive_at is not None:
        raise Conflict(
            f"The node {journal.identity[:8]} is alive: its last heartbeat came "
            f"{(now - alive_at).total_seconds():.0f} s ago, and it drains its own journal. Stop "
            "Argo there first; if it has just died, try again a minute after that heartbeat."
        )


@contextmanager
def _stopped(folder: Path) -> Iterator[None]:
    """Keep `up` from starting in the folder, if it can be written. Raises Conflict if it runs."""
    lock = FileLock(folder / UP)
    try:
        lock.acquire()
    except LockedByAnother as error:
        raise Conflict(f"Argo runs on {folder}, as {error.holder}. Stop it first.") from error
    except OSError:
        pass  # a folder that is mounted read-only can be read, and no Argo can run there
    try:
        yield
    finally:
        lock.release()
