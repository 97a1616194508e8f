"""The journal of a lost node is drained by another one, once, and verified."""

import json
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from argo.errors import Conflict, InvalidInput
from signals import config, nodes
from signals.clock import utc_now
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.ledger.outcomes import record_outcome
from signals.ledger.store import StoredSignal
from signals.locks import UP, FileLock
from signals.models import Act, JournalCursor, Node, Signal, SignalContext
from signals.tracker import SignalTracker
from signals.verification import verify
from tests.samples import a_signal, signals
from tests.signals.nodes.folders import a_copy, a_folder, accept, reported
from tests.signs_of_life import alive

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(tmp_path: Path) -> Journal:
    """A data folder with two stored signals and three that wait."""
    journal = a_folder(tmp_path / "lost", 2)
    Flusher(journal).flush()
    accept(journal, *signals(3))
    journal.close()
    return journal


def _adopt(journal: Journal) -> nodes.Adoption:
    return nodes.adopt(journal.path.parent)


def test_what_waited_is_stored_by_its_own_cursor(lost: Journal) -> None:
    before = lost.path.read_bytes()
    done = _adopt(lost)
    assert (done.flushed.stored, done.flushed.duplicates) == (3, 0)
    assert (done.verified.lines, done.verified.pending, done.verified.findings) == (5, 0, [])
    assert set(SignalContext.objects.values_list("journal__journal", flat=True)) == {lost.identity}
    cursor = JournalCursor.objects.get(journal=lost.identity)
    assert cursor.byte == len(before)
    assert lost.path.read_bytes() == before
    assert Act.objects.get().after == "adopted"


def test_to_adopt_again_changes_nothing(lost: Journal) -> None:
    _adopt(lost)
    again = _adopt(lost)
    assert again.flushed.lines == 0
    assert again.verified.findings == []
    assert Signal.objects.count() == 5


def test_the_stored_handlers_get_the_signals(lost: Journal, settings: Settings) -> None:
    settings.SIGNAL_STORED_HANDLERS = ["tests.signals.nodes.test_adopting.remember"]
    handled.clear()
    _adopt(lost)
    assert len(handled) == 3


def remember(stored: Sequence[StoredSignal]) -> None:
    handled.extend(stored)


handled: list[StoredSignal] = []


def test_signals_that_this_node_received_too_are_stored_once(lost: Journal) -> None:
    sent = signals(4)
    tracker = SignalTracker()
    tracker.log_signals(sent)
    accept(lost, *sent)
    done = _adopt(lost)
    assert (done.flushed.stored, done.flushed.duplicates) == (3, 4)
    assert done.verified.findings == []
    assert verify(config.journal()).findings == []


def test_outcomes_of_the_lost_node_are_brought_in(lost: Journal) -> None:
    (signal_id,) = SignalTracker().log_signals([a_signal()])
    record_outcome(
        signal_id, now=utc_now(), journal=lost, outcome="win", exit_price=158.0, who="me", why="t"
    )
    assert _adopt(lost).verified.findings == []
    assert verify(config.journal()).findings == []


def test_an_altered_row_is_found(lost: Journal) -> None:
    _adopt(lost)
    first = Signal.objects.earliest("id").pk
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE signals SET asset_type = 'x' WHERE id = %s", [first])
    assert [kind for kind, _, _ in _adopt(lost).verified.findings] == ["altered"]
    with pytest.raises(CommandError) as failed:
        call_command("adopt_journal", str(lost.path.parent), stdout=StringIO())
    assert failed.value.returncode == 1


def test_a_line_that_is_no_signal_becomes_a_dead_letter(lost: Journal) -> None:
    with lost.path.open("ab") as file:
        file.write(b"rubbish\n")
    with pytest.raises(CommandError, match="1 lines became dead letters"):
        call_command("adopt_journal", str(lost.path.parent), stdout=StringIO())
    assert Signal.objects.count() == 5


def test_an_own_folder_is_refused(tmp_path: Path) -> None:
    assert config.journal().identity
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    for folder in (tmp_path, link):
        with pytest.raises(InvalidInput, match="this node's own data folder"):
            nodes.adopt(folder)


def test_a_copy_of_the_own_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / "signals.id").write_text(config.journal().identity)
    with pytest.raises(Conflict, match="copy of"):
        nodes.adopt(folder)


@pytest.mark.parametrize("content", [None, ""])
def test_a_folder_without_an_identity_is_refused_and_left_as_it_is(
    tmp_path: Path, content: str | None
) -> None:
    folder = tmp_path / "no"
    folder.mkdir()
    if content is not None:
        (folder / "signals.id").write_text(content)
    before = list(folder.iterdir())
    with pytest.raises(InvalidInput, match=r"signals\.id"):
        nodes.adopt(folder)
    with pytest.raises(InvalidInput):
        nodes.adopt(tmp_path / "not there")
    assert list(folder.iterdir()) == before


@pytest.mark.parametrize(
    "lives",
    [
        lambda journal: reported(journal, ago=30),
        lambda journal: alive(queues="flush", node=journal.identity, ago=30),
    ],
    ids=["node", "process"],
)
def test_a_node_that_lives_drains_its_own_journal(
    lost: Journal, lives: Callable[[Journal], object]
) -> None:
    lives(lost)
    with pytest.raises(Conflict, match="is alive: its last heartbeat came 3"):
        _adopt(lost)
    assert Signal.objects.count() == 2


def test_a_node_that_was_just_stopped_is_adopted(lost: Journal) -> None:
    alive(queues="flush", node=lost.identity)
    reported(lost, ago=1)
    nodes.release(lost)
    assert _adopt(lost).flushed.stored == 3


def test_a_folder_that_runs_on_this_machine_is_refused(lost: Journal) -> None:
    lock = FileLock(lost.path.parent / UP)
    lock.acquire()
    with pytest.raises(Conflict, match="Argo runs on"):
        _adopt(lost)
    lock.release()
    assert _adopt(lost).flushed.stored == 3


def test_an_older_copy_of_the_folder_is_read_again_safely(lost: Journal, tmp_path: Path) -> None:
    copy = a_copy(lost, tmp_path / "old")
    lines = lost.path.read_bytes().splitlines(keepends=True)
    copy.path.write_bytes(lines[0])
    done = _adopt(copy)
    assert (done.flushed.stored, done.flushed.duplicates) == (0, 1)
    assert Signal.objects.count() == 2


def test_the_command_says_what_was_done(lost: Journal) -> None:
    out = StringIO()
    call_command("adopt_journal", str(lost.path.parent), "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert found["identity"] == lost.identity
    assert found["flushed"]["stored"] == 3
    assert found["verified"]["findings"] == []
    text = StringIO()
    call_command("adopt_journal", str(lost.path.parent), stdout=text)
    assert f"argo nodes --retire {lost.identity[:8]}" in text.getvalue()
    assert Node.objects.get(identity=lost.identity).is_drained
