"""Readers get exactly the appended lines from any position, a chunk at a time."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.journal import START, Journal, JournalPosition, JournalReplaced, Line, Offset
from tests.signals.journal.helpers import end_position, lines_of, numbered, read_all


@pytest.fixture
def sealing(tmp_path: Path) -> Journal:
    """A journal of four sealed segments with one line each, and an active one."""
    journal = Journal(tmp_path / "signals.log", segment_bytes=1)
    for line in numbered("a", 5):
        journal.append([line])
    assert list(journal.segments.sealed()) == [1, 2, 3, 4]
    return journal


def data(lines: list[Line]) -> list[bytes]:
    return [line.data for line in lines]


def test_an_empty_journal_has_nothing_to_read(journal: Journal) -> None:
    assert journal.read(START) is None
    assert journal.end() == Offset(1, 0)
    assert journal.pending_bytes(START) == 0
    journal.append([])
    assert journal.read(START) is None


def test_a_reader_continues_where_it_stopped(journal: Journal) -> None:
    journal.append(numbered("a", 10))
    chunk = journal.read(START, max_lines=4)
    assert chunk is not None
    assert data(chunk.lines) == numbered("a", 10)[:4]

    again = Journal(journal.path)
    assert data(read_all(again, chunk.end)) == numbered("a", 10)[4:]
    assert again.read(end_position(again)) is None
    journal.append([b"next"])
    assert data(read_all(again, end_position(again))) == []
    assert lines_of(again)[-1] == b"next"


def test_a_reader_at_the_end_gets_the_next_lines(journal: Journal) -> None:
    journal.append([b"one"])
    position = end_position(journal)
    journal.append([b"two"])
    assert read_all(journal, position) == [Line(Offset(1, 4), b"two")]


def test_pending_bytes_are_those_after_the_position(sealing: Journal) -> None:
    assert sealing.pending_bytes(START) == 5 * len(b"a 0\n")
    chunk = sealing.read(START)
    assert chunk is not None
    assert sealing.pending_bytes(chunk.end) == 4 * len(b"a 0\n")
    assert sealing.pending_bytes(end_position(sealing)) == 0
    assert sealing.end() == Offset(5, 4)


def test_blank_lines_are_lines(journal: Journal) -> None:
    journal.append([b"", b"one", b"", b"", b"two", b""])
    assert data(read_all(journal)) == [b"", b"one", b"", b"", b"two", b""]
    assert [line.offset.byte for line in read_all(journal)] == [0, 1, 5, 6, 7, 11]


@pytest.mark.parametrize("size", [2**20, 4 * 2**20 - 1, 4 * 2**20, 5 * 2**20])
@pytest.mark.parametrize("max_lines", [1, 5000])
def test_a_line_may_be_longer_than_a_chunk(journal: Journal, size: int, max_lines: int) -> None:
    long = b"y" * size
    journal.append([b"before", long, b"after"])
    position, lines = START, list[bytes]()
    while chunk := journal.read(position, max_lines=max_lines):
        lines += data(chunk.lines)
        position = chunk.end
    assert lines == [b"before", long, b"after"]


def test_the_last_line_of_a_sealed_segment_needs_no_newline(sealing: Journal) -> None:
    """Somebody may have edited it."""
    path = sealing.segments.sealed()[2]
    path.write_bytes(path.read_bytes() + b"by hand")
    assert lines_of(sealing) == [*numbered("a", 5)[:2], b"by hand", *numbered("a", 5)[2:]]


def test_an_empty_segment_is_skipped(sealing: Journal) -> None:
    sealing.segments.sealed()[3].write_bytes(b"")
    assert lines_of(sealing) == [b"a 0", b"a 1", b"a 3", b"a 4"]


def test_a_position_in_another_file_is_refused(journal: Journal) -> None:
    journal.append(numbered("a", 10))
    position = end_position(journal)
    journal.close()
    journal.path.write_bytes(b"".join(line + b"\n" for line in numbered("b", 100)))
    with pytest.raises(JournalReplaced, match=r"Segment 1 of .* is another file"):
        journal.read(position)
    assert journal.restart(position) == START


def test_a_position_in_a_deleted_file_is_refused(journal: Journal) -> None:
    journal.append(numbered("a", 10))
    position = end_position(journal)
    journal.path.unlink()
    with pytest.raises(JournalReplaced, match=r"Segment 1 of .* is gone"):
        journal.read(position)
    assert journal.read(journal.restart(position)) is None


def test_a_missing_sealed_segment_is_an_error_and_can_be_skipped(sealing: Journal) -> None:
    first = sealing.read(START)
    assert first is not None
    sealing.segments.sealed()[2].unlink()
    sealing.segments.sealed()[3].unlink()
    with pytest.raises(JournalReplaced, match="Segment 2"):
        sealing.read(first.end)

    restart = sealing.restart(JournalPosition(2, 0, ""))
    assert restart == JournalPosition(4, 0, "")
    assert data(read_all(sealing, restart)) == [b"a 3", b"a 4"]


def test_a_new_reader_begins_with_the_oldest_segment_that_is_kept(sealing: Journal) -> None:
    sealing.segments.sealed()[1].unlink()
    with pytest.raises(JournalReplaced, match="Segment 1"):
        sealing.read(START)
    assert sealing.restart(START) == JournalPosition(2, 0, "")


def test_segment_numbers_that_start_again_are_noticed(sealing: Journal) -> None:
    """After all sealed segments were archived, the active one is number 1 again."""
    at_the_end = end_position(sealing)
    for path in sealing.segments.sealed().values():
        path.unlink()
    for position in (at_the_end, JournalPosition(5, 0, ""), JournalPosition(9, 0, "")):
        with pytest.raises(JournalReplaced, match="is gone"):
            sealing.read(position)
        assert data(read_all(sealing, sealing.restart(position))) == [b"a 4"]


def test_check_raises_the_same_error_as_read(journal: Journal) -> None:
    journal.append([b"one"])
    position = end_position(journal)
    journal.check(position)
    journal.path.unlink()
    with pytest.raises(JournalReplaced):
        journal.check(position)


LINES = st.lists(
    st.one_of(
        st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")),
        st.integers(0, 400).map(lambda size: b"z" * size),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=80)
@given(
    calls=st.lists(LINES, max_size=6),
    segment_bytes=st.integers(1, 2000),
    chunk_bytes=st.integers(1, 500),
    steps=st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
def test_any_split_into_calls_segments_and_chunks_gives_the_appended_lines_in_order(
    calls: list[list[bytes]], segment_bytes: int, chunk_bytes: int, steps: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("signals.journal.reader.CHUNK_BYTES", chunk_bytes)
        journal = Journal(Path(folder) / "signals.log", segment_bytes=segment_bytes)
        reader, position, read = Journal(journal.path), START, list[Line]()
        for number, call in enumerate([*calls, []]):
            journal.append(call)
            while chunk := reader.read(position, max_lines=steps[number % len(steps)]):
                assert 0 < len(chunk.lines) <= steps[number % len(steps)]
                read += chunk.lines
                position = chunk.end
        journal.close()

        assert data(read) == [line for call in calls for line in call]
        assert read == read_all(Journal(journal.path))
        assert all(line_in_file(journal, line) for line in read)


def line_in_file(journal: Journal, line: Line) -> bool:
    """Return True if the line is at its offset."""
    path = dict(journal.segments.all())[line.offset.segment]
    return path.read_bytes()[line.offset.byte :].startswith(line.data + b"\n")
