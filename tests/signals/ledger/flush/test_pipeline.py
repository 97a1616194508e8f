"""A few signals go to PostgreSQL in a pipeline: few round trips, and the same care."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from argo.errors import Conflict
from signals.journal import Journal
from signals.ledger.durability.commits import GUARD_INTERVAL, Commits
from signals.ledger.flush import Flusher, FlushResult
from signals.models import JournalCursor, Signal
from signals.pipeline import is_pipelined, pipelined
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import forged, letters, line_of

pytestmark = [pytest.mark.services("postgresql"), both_databases]
USING = "postgresql"


@pytest.fixture
def flusher(journal: Journal) -> Flusher:
    return Flusher(journal, using=USING)


def noting(statements: list[str]) -> Callable[..., Any]:
    def note(execute: Any, sql: str, *rest: Any) -> Any:  # noqa: ANN401
        statements.append(sql.split()[0])
        assert is_pipelined(USING)
        return execute(sql, *rest)

    return note


def signal_ids() -> list[str]:
    found = Signal.objects.using(USING).order_by("id")
    return list(found.values_list("signal_id", flat=True))


def test_a_confirmed_commit_of_a_signal_is_three_statements_in_a_pipeline(
    journal: Journal, flusher: Flusher
) -> None:
    """Besides those of the handlers: the claim, the signal and its context."""
    commits = Commits(flusher)
    for _ in range(2):  # the first one looks up where the journal is, and its spelling
        journal.append([line_of()])
        assert commits.confirm()
    statements: list[str] = []
    journal.append([line_of()])
    with connections[USING].execute_wrapper(noting(statements)):
        assert commits.confirm()
    assert statements == ["UPDATE", "INSERT", "INSERT"]
    assert len(signal_ids()) == 3


def test_a_batch_that_another_flush_claimed_first_is_left_to_it(
    journal: Journal, flusher: Flusher
) -> None:
    """`Commits` remembers an old position; nothing of its transaction stays."""
    commits = Commits(flusher)
    journal.append([line_of()])
    assert commits.confirm()
    journal.append([line_of()])
    assert Flusher(journal, using=USING).flush() == FlushResult(stored=1)
    journal.append([line_of()])
    assert commits.confirm()
    assert len(signal_ids()) == 3
    assert letters(USING) == []


def test_a_claim_that_is_lost_takes_the_rows_along(journal: Journal, flusher: Flusher) -> None:
    """The rows are sent before the claim's answer is known, even if they are new."""
    journal.append([line_of()])
    cursor = flusher.cursor()
    JournalCursor.objects.using(USING).filter(pk=cursor.pk).update(fingerprint="moved")
    steps = flusher.steps(None, cursor)
    assert next(steps).end is None
    assert signal_ids() == []


def test_stored_and_refused_signals_of_a_small_batch_are_told_apart(
    journal: Journal, flusher: Flusher
) -> None:
    first, second = line_of(), line_of()
    journal.append([first])
    flusher.flush()
    journal.append([first, forged(sources=2**40), second])
    assert flusher.flush() == FlushResult(stored=1, duplicates=1, dead=1)
    assert len(signal_ids()) == 2
    assert [kind for kind, _ in letters(USING)] == ["refused"]


def test_a_handler_that_fails_takes_the_batch_along(journal: Journal, flusher: Flusher) -> None:
    def broken(_: object) -> None:
        with connections[USING].cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    journal.append([line_of()])
    with pytest.raises(Exception, match="division by zero"):
        Flusher(journal, using=USING, handlers=[broken]).flush()
    assert signal_ids() == []
    assert flusher.flush() == FlushResult(stored=1)


def test_a_failure_is_raised_at_the_end_of_the_block_as_one_of_django() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(using=USING), pipelined(USING):
        connections[USING].cursor().execute("INSERT INTO journal_cursors (journal) VALUES (NULL)")
    assert not is_pipelined(USING)


def test_on_sqlite_there_is_no_pipeline() -> None:
    with pipelined("default"):
        assert not is_pipelined("default")


def test_a_commit_is_quick_again_after_another_flush_came_first(
    journal: Journal, flusher: Flusher
) -> None:
    commits = Commits(flusher)
    for _ in range(2):
        journal.append([line_of()])
        assert commits.confirm()
        journal.append([line_of()])
        Flusher(journal, using=USING).flush()
    journal.append([line_of()])
    assert commits.confirm()
    statements: list[str] = []
    journal.append([line_of()])
    with connections[USING].execute_wrapper(noting(statements)):
        assert commits.confirm()
    assert statements == ["UPDATE", "INSERT", "INSERT"]


def test_a_commit_asks_at_most_once_a_second_whether_the_folder_is_a_copy(journal: Journal) -> None:
    asked: list[int] = []
    commits = Commits(Flusher(journal, using=USING, guard=lambda: asked.append(1)))
    for _ in range(5):
        journal.append([line_of()])
        assert commits.confirm()
    assert len(asked) == 1
    commits._guarded -= GUARD_INTERVAL

    def refuse() -> None:
        raise Conflict("a copy")

    commits._guard = refuse
    journal.append([line_of()])
    with pytest.raises(Conflict, match="a copy"):
        commits.confirm()
    assert len(signal_ids()) == 5
