"""While the flush has a backlog, lines are entered only now and then; afterwards at once."""

from datetime import timedelta

import pytest

from signals.clock import utc_now
from signals.record.log.entering import Enterer
from signals.record.log.giving_way import BACKLOG, TURN_EVERY, FlushFirst
from signals.record.log.problems import problems
from signals.record.log.tables import head_of
from tests.databases import both_databases
from tests.signals.record.log.helpers import Node, kinds

pytestmark = both_databases


class Watch:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def backlog(node: Node) -> None:
    """Write lines that the flush has not read."""
    node.journal.append([b"x" * 1023] * (BACKLOG // 1024 + 1))


def test_signals_that_come_one_by_one_are_entered_at_once(node: Node, using: str) -> None:
    node.store(1)
    node.log(2)
    assert Enterer(node.journal, using, waits=FlushFirst(node.journal, using)).enter() == 1


def test_one_batch_is_entered_in_each_turn_while_there_is_a_backlog(node: Node, using: str) -> None:
    for number in range(3):
        node.store(number)
    backlog(node)
    watch = Watch()
    enterer = Enterer(
        node.journal, using, max_lines=1, waits=FlushFirst(node.journal, using, watch)
    )
    answers = []
    for watch.now in (0.0, 4.9, TURN_EVERY, 5.1, 2 * TURN_EVERY, 10.1):
        answers.append(enterer.enter())
    assert answers == [0, 0, 1, 0, 1, 0]


def test_the_backlog_is_entered_once_it_is_flushed(node: Node, using: str) -> None:
    node.store(1)
    backlog(node)
    enterer = Enterer(node.journal, using, waits=FlushFirst(node.journal, using, Watch()))
    assert enterer.enter() == 0
    node.flush()
    node.sequencer.assign()
    assert enterer.enter() == 1 + BACKLOG // 1024 + 1


def test_a_head_that_moved_meanwhile_is_followed(
    node: Node, other: Node, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let another node enter between the hashes and the transaction."""
    node.store(1)
    other.store(2)
    stale = head_of(using)
    other.enterer.enter()
    monkeypatch.setattr("signals.record.log.entering.head_of", lambda name: stale)
    assert node.enterer.enter() == 1
    assert [each for each in kinds(using) if each != "heartbeat"] == ["strategy"] + ["signal"] * 2
    monkeypatch.undo()
    node.publish()
    assert not node.verified().faults


@pytest.mark.django_db(transaction=True)
def test_a_backlog_is_no_lag_of_the_record(own: Node) -> None:
    own.store(1)
    later = utc_now() + timedelta(minutes=10)
    assert [each.kind.code for each in problems(later)] == ["record.behind"]
    backlog(own)
    assert list(problems(later)) == []
