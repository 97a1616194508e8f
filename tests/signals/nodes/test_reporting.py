"""Each node reports its own figures, and health says which node is gone, behind or doubled."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from signals import config, nodes
from signals.clock import utc_now
from signals.dialect import database_now
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.ledger.journal_state import undrained
from signals.ledger.outcomes import record_outcome
from signals.models import Node
from signals.nodes import State
from signals.nodes.problems import problems
from signals.problems import Problem
from tests.databases import both_databases
from tests.samples import a_signal, signals
from tests.signals.nodes.folders import a_copy, a_folder, accept, reported


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Journal]:
    journal = a_folder(tmp_path / "other")
    yield journal
    journal.close()


def found() -> list[Problem]:
    return list(problems(utc_now()))


def codes() -> list[str]:
    return [problem.kind.code for problem in found()]


@both_databases
def test_a_report_counts_what_waits_and_since_when(other: Journal, using: str) -> None:
    accept(other, *signals(5), using=using)
    Flusher(other, using=using).flush()
    nodes.report(other, using)
    node = Node.objects.using(using).get()
    assert (node.undrained, node.oldest_at, node.is_drained) == (0, None, False)
    accept(other, *signals(7), using=using)
    Node.objects.using(using).update(seen_at=database_now(using) - timedelta(seconds=15))
    nodes.report(other, using)
    node = Node.objects.using(using).get()
    assert node.undrained == 7
    assert node.oldest_at is not None
    assert abs(utc_now() - node.oldest_at) < timedelta(seconds=30)


@pytest.mark.django_db
def test_lines_in_every_segment_are_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "small" / "signals.log", segment_bytes=1000)
    for _ in range(9):
        accept(journal, a_signal())
    assert len(dict(journal.segments.all())) > 2
    nodes.report(journal)
    assert Node.objects.get().undrained == 9


@pytest.mark.django_db
def test_a_file_that_was_replaced_is_counted_from_its_start(other: Journal) -> None:
    accept(other, *signals(5))
    Flusher(other).flush()
    other.close()
    other.path.unlink()
    accept(other, *signals(2))
    nodes.report(other)
    assert Node.objects.get().undrained == 2


@pytest.mark.django_db
def test_one_of_several_processes_reports_at_a_time(other: Journal) -> None:
    nodes.report(other)
    first = Node.objects.get().seen_at
    nodes.report(other)
    assert Node.objects.get().seen_at == first


@pytest.mark.django_db
def test_a_node_that_stops_says_if_anything_is_left(other: Journal) -> None:
    nodes.report(other)
    accept(other, a_signal())
    nodes.release(other)
    assert (Node.objects.get().undrained, Node.objects.get().is_drained) == (1, False)
    Flusher(other).flush()
    nodes.release(other)
    assert (Node.objects.get().undrained, Node.objects.get().is_drained) == (0, True)


@pytest.mark.django_db
def test_every_node_is_listed_this_one_with_its_figures_of_now(other: Journal) -> None:
    reported(other, ago=100, undrained=3, oldest_at=database_now() - timedelta(seconds=160))
    nodes.report(config.journal())
    accept(config.journal(), *signals(4))
    own, far = nodes.listed()
    assert (own.is_this, own.state, own.undrained) == (True, State.ALIVE, 4)
    assert (far.is_this, far.state, far.undrained, far.host) == (False, State.GONE, 3, "far")
    assert far.oldest_age is not None
    assert 160 <= far.oldest_age < 200


@pytest.mark.django_db
def test_a_journal_that_never_reported_is_listed_too(other: Journal) -> None:
    accept(other, a_signal())
    Flusher(other).flush()
    assert {view.identity for view in nodes.listed()} == {
        other.identity,
        config.journal().identity,
    }
    assert {view.state for view in nodes.listed()} == {State.UNKNOWN}


@pytest.mark.django_db
def test_a_node_that_is_gone_is_a_problem_until_it_is_retired(other: Journal) -> None:
    nodes.report(config.journal())
    reported(other, ago=59, undrained=3)
    assert codes() == []
    reported(other, ago=61, undrained=3)
    (problem,) = found()
    assert problem.kind.code == "node.gone"
    assert other.identity[:8] in problem.sentence
    assert "3 lines of its journal were not in the database" in problem.sentence
    nodes.retire(other.identity, "its disk died", gives_up=True)
    assert codes() == []


@pytest.mark.django_db
def test_a_node_that_was_stopped_is_a_problem_after_a_minute(other: Journal) -> None:
    nodes.report(config.journal())
    reported(other, ago=5)
    nodes.release(other)
    assert codes() == []
    Node.objects.filter(identity=other.identity).update(
        seen_at=database_now() - timedelta(seconds=61)
    )
    (problem,) = found()
    assert "was stopped" in problem.sentence
    assert "its journal is drained" in problem.sentence


@pytest.mark.django_db
def test_a_single_node_is_watched_by_the_checks_of_its_processes() -> None:
    reported(config.journal(), ago=1000)
    assert codes() == []


@pytest.mark.django_db
def test_a_living_node_whose_lines_wait_is_behind(other: Journal) -> None:
    nodes.report(config.journal())
    now = database_now()
    reported(other, undrained=200, oldest_at=now - timedelta(seconds=50))
    assert codes() == []
    reported(other, undrained=200, oldest_at=now - timedelta(seconds=70))
    (problem,) = found()
    assert problem.kind.code == "node.behind"
    assert "200 lines" in problem.sentence


@pytest.mark.django_db
def test_two_folders_with_one_identity_are_a_problem_while_both_live(
    other: Journal, tmp_path: Path
) -> None:
    nodes.report(other)
    nodes.report(a_copy(other, tmp_path / "copy"))
    (problem,) = found()
    assert problem.kind.code == "node.cloned"
    assert str(tmp_path / "copy") in problem.sentence
    assert str(tmp_path / "other") in problem.sentence
    Node.objects.update(rival_seen_at=database_now() - timedelta(seconds=61))
    assert codes() == []


@pytest.mark.django_db
def test_a_retired_node_that_comes_back_is_in_use_again(other: Journal) -> None:
    reported(other, ago=100)
    nodes.retire(other.identity, "gone", gives_up=True)
    nodes.report(other)
    node = Node.objects.get()
    assert (node.retired_at, node.retired_why, node.given_up) == (None, "", None)


@pytest.mark.django_db
@pytest.mark.parametrize(("origin", "has_age"), [("replay", False), ("api", True)])
def test_a_change_of_a_replayed_signal_has_not_waited_for_years(
    other: Journal, origin: str, has_age: bool
) -> None:
    """The lines of a replay carry the time of its bars, those of changes too."""
    (signal_id,) = accept(other, a_signal(), origin=origin)
    Flusher(other).flush()
    then = utc_now() - timedelta(days=9000)
    record_outcome(signal_id, outcome="expired", exit_price=None, who="monitor", why="old",
                   now=then, journal=other)  # fmt: skip
    found = undrained(other)
    assert (found.lines, found.oldest is not None) == (1, has_age)
