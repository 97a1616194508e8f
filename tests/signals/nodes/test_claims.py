"""Two living data folders cannot have one identity: the second one is refused."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from signals import nodes
from signals.dialect import database_now
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.ledger.ownership import ClonedNode, ensure_owner
from signals.models import JournalCursor, Node
from tests.databases import both_databases
from tests.samples import a_signal
from tests.signals.nodes.folders import a_copy, a_folder, accept, reported

pytestmark = both_databases
on_postgresql = pytest.mark.parametrize(
    "using", [pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)


@pytest.fixture
def original(tmp_path: Path) -> Journal:
    return a_folder(tmp_path / "original")


@pytest.fixture
def copy(original: Journal, tmp_path: Path) -> Journal:
    return a_copy(original, tmp_path / "copy")


def _node(using: str) -> Node:
    return Node.objects.using(using).get()


def _passes(using: str, seconds: float) -> Callable[[float], None]:
    """Return a pause in which this time passes, and nobody gives a sign of life."""

    def pause(_: float) -> None:
        node = _node(using)
        assert node.seen_at is not None
        Node.objects.using(using).update(seen_at=node.seen_at - timedelta(seconds=seconds))

    return pause


def _beats(using: str) -> Callable[[float], object]:
    """Return a pause in which the node gives a sign of life."""
    return lambda _: Node.objects.using(using).update(seen_at=database_now(using))


def _may_not_wait(_: float) -> None:
    pytest.fail("it waited")


@on_postgresql
def test_a_copy_of_a_folder_that_lives_is_refused(
    original: Journal, copy: Journal, using: str
) -> None:
    nodes.claim(original, using=using)
    said: list[str] = []
    with pytest.raises(ClonedNode, match=r"delete its signals\.id") as refused:
        nodes.claim(copy, said.append, using=using, pause=_beats(using))
    assert str(original.path.parent) in str(refused.value)
    assert "Waiting up to 60 s" in said[0]
    assert _node(using).folder == str(original.path.parent)


@on_postgresql
def test_a_folder_that_was_moved_after_a_kill_is_taken_once_the_old_one_is_silent(
    original: Journal, copy: Journal, using: str
) -> None:
    nodes.claim(original, using=using)
    nodes.claim(copy, using=using, pause=_passes(using, 30))
    assert _node(using).folder == str(copy.path.parent)


def test_a_folder_that_was_stopped_may_be_moved_at_once(
    original: Journal, copy: Journal, using: str
) -> None:
    nodes.claim(original, using=using)
    nodes.release(original, using)
    nodes.claim(copy, using=using, pause=_may_not_wait)
    assert _node(using).folder == str(copy.path.parent)


def test_a_folder_that_was_killed_is_taken_again_at_once(original: Journal, using: str) -> None:
    nodes.claim(original, using=using)
    nodes.claim(Journal(original.path), using=using, pause=_may_not_wait)


def test_sqlite_belongs_to_one_machine_so_a_moved_folder_is_taken_at_once(
    original: Journal, copy: Journal
) -> None:
    nodes.claim(original)
    nodes.claim(copy, pause=_may_not_wait)
    assert _node("default").folder == str(copy.path.parent)


@on_postgresql
def test_a_copy_moves_no_cursor(original: Journal, copy: Journal, using: str) -> None:
    nodes.claim(original, using=using)
    accept(copy, a_signal(), using=using)
    flusher = Flusher(copy, using=using, guard=partial(ensure_owner, copy, using))
    with pytest.raises(ClonedNode):
        flusher.flush()
    assert not JournalCursor.objects.using(using).exists()
    nodes.release(original, using)
    assert flusher.flush().stored == 1


def test_a_copy_that_runs_is_a_rival_and_takes_nothing(
    original: Journal, copy: Journal, using: str, caplog: pytest.LogCaptureFixture
) -> None:
    nodes.report(original, using)
    before = _node(using)
    for _ in range(2):
        nodes.report(copy, using)
    after = _node(using)
    assert (after.place, after.seen_at) == (before.place, before.seen_at)
    assert after.rival.startswith(str(copy.path.parent))
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "has the signals.id of another data folder" in errors[0].message


def test_a_folder_that_is_silent_is_replaced_by_the_one_that_lives(
    original: Journal, copy: Journal, using: str
) -> None:
    reported(original, ago=61, using=using)
    nodes.report(copy, using)
    assert _node(using).folder == str(copy.path.parent)
    assert _node(using).rival == ""


def test_a_restored_node_may_be_claimed_at_once(
    original: Journal, copy: Journal, using: str
) -> None:
    nodes.claim(original, using=using)
    nodes.reset(copy, using)
    nodes.claim(copy, using=using, pause=_may_not_wait)
