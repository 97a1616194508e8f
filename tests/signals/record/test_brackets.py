"""A bracket's ends: the earliest proof that an entry existed, the latest that it was not there."""

from datetime import UTC, datetime, timedelta

from signals.record.formats.entries import Entry
from signals.record.verifier.brackets import Bracket, brackets

BEGIN = datetime(2026, 1, 2, 9, tzinfo=UTC)
ENTRIES = {index: Entry("2026-01-02T09:00:00Z", "heartbeat") for index in range(6)}


def at(minutes: int) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def test_an_entry_existed_by_the_earliest_time_of_all_checkpoints_that_hold_it() -> None:
    found = brackets(ENTRIES, [(2, at(50)), (4, at(10)), (6, at(30))], {})
    ends = [bracket.existed_by for bracket in found.values()]
    assert ends == [at(10)] * 4 + [at(30)] * 2


def test_a_checkpoint_holds_the_entries_below_its_size_and_no_other() -> None:
    found = brackets(ENTRIES, [(3, at(10))], {})
    assert [index for index, each in found.items() if each.existed_by == at(10)] == [0, 1, 2]
    assert found[3] == Bracket(None, None)


def test_a_mark_says_nothing_of_itself_or_of_what_is_before_it() -> None:
    found = brackets(ENTRIES, [], {2: at(5)})
    assert [each.made_after for each in found.values()] == [None] * 3 + [at(5)] * 3


def test_a_mark_with_an_earlier_time_takes_nothing_back() -> None:
    found = brackets(ENTRIES, [], {1: at(20), 3: at(5), 4: at(40)})
    ends = [each.made_after for each in found.values()]
    assert ends == [None, None, at(20), at(20), at(20), at(40)]
