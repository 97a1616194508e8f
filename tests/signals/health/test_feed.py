"""A feed that does not keep up with the flush is a problem."""

from datetime import timedelta

import pytest

from signals.clock import utc_now
from signals.config import flusher, sequencer
from signals.health import feed
from signals.models import JournalCursor, Node, SequenceCursor
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_a_stored_line_without_an_index_is_a_problem_after_its_time() -> None:
    SignalTracker("test").accept([a_signal()])
    now = utc_now()
    assert list(feed.problems(now + 2 * MINUTE, MINUTE)) == []  # not stored: another problem
    flusher().flush()
    assert list(feed.problems(now, MINUTE)) == []
    (problem,) = feed.problems(now + 2 * MINUTE, MINUTE)
    assert problem.kind is feed.BEHIND
    assert "12" in problem.sentence
    sequencer().assign()
    assert list(feed.problems(now + 2 * MINUTE, MINUTE)) == []


def test_a_lost_node_whose_last_lines_are_not_in_the_feed_is_a_problem() -> None:
    lost = JournalCursor.objects.create(journal="lost", segment=1, byte=100)
    cursor = SequenceCursor.objects.create(journal=lost, segment=1, byte=50)
    node = Node.objects.create(identity="lost", host="h", seen_at=utc_now() - 2 * MINUTE)
    (problem,) = feed.problems(utc_now(), MINUTE)
    assert (problem.kind, problem.about) == (feed.BEHIND, "lost")
    Node.objects.update(seen_at=utc_now())
    assert list(feed.problems(utc_now(), MINUTE)) == []
    Node.objects.update(seen_at=node.seen_at)
    cursor.byte = 100
    cursor.save()
    assert list(feed.problems(utc_now(), MINUTE)) == []
