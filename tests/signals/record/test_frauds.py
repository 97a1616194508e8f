"""Each fraud that is built into a copy of an honest record is found; the honest one is accepted."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from signals.record.formats.checkpoints import digest_of_checkpoint
from signals.record.formats.tiles import entries_path, tile_path
from signals.record.signing import LogSigner
from signals.record.verifier.cli import verify
from signals.record.verifier.report import Report
from tests.signals.record.sample import (
    POLICY,
    STRATEGY,
    WITNESSES,
    Record,
    asked,
    changed,
    checked,
    codes,
    fill,
    honest,
)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return honest(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def draft(tmp_path: Path) -> Record:
    """A record that a fraud fills, as its owner could."""
    draft = Record(tmp_path / "record")
    draft.enter("strategy", note=STRATEGY)
    return draft


def of(data: bytes, tmp_path: Path, known: bytes | None = None) -> Report:
    return checked(data, tmp_path / "bundle.zip", known)


def found(data: bytes, tmp_path: Path, known: bytes | None = None) -> set[str]:
    return codes(of(data, tmp_path, known))


def ended(draft: Record, tmp_path: Path, **enclosed: Any) -> Report:  # noqa: ANN401
    """Return the report on a draft, signed and witnessed as if it were honest."""
    draft.checkpoint(mark=False)
    return of(draft.bundle(**enclosed), tmp_path)


def test_an_honest_bundle_is_accepted_with_its_figures(record: Record, tmp_path: Path) -> None:
    report = of(record.bundle(), tmp_path)
    assert not report.faults
    assert not report.remarks
    figures = report.facts["track_record"]
    assert (figures["shown"], figures["closed"], figures["open"]) == (6, 5, 1)
    assert figures["win_rate"] == pytest.approx(3 / 5)
    assert figures["mean_pct"] == pytest.approx((10 - 5 + 10 - 3.5 + 4) / 5)
    grown = 1.1 * 0.95 * 1.1 * 0.965 * 1.04
    assert figures["equity_pct"] == pytest.approx((grown - 1) * 100)


@pytest.mark.parametrize("first", [0, 1, 2, 5, 7, 16])
def test_an_honest_part_of_a_record_is_accepted(record: Record, first: int, tmp_path: Path) -> None:
    last = min(first + 6, len(record.entries) - 1)
    assert not found(record.bundle(first, last), tmp_path)


def test_each_earlier_checkpoint_is_continued(record: Record, tmp_path: Path) -> None:
    sizes = [int(data.split(b"\n")[1]) for data in record.checkpoints]
    data = record.bundle(6, 12, known=sizes)
    for known in record.checkpoints:
        assert not found(data, tmp_path, known)


def test_brackets_of_time_come_from_marks_and_cosignatures(record: Record, tmp_path: Path) -> None:
    signals = of(record.bundle(), tmp_path).facts["signals"]
    first, second = signals[:2]
    assert first["made_after"] is None
    assert first["existed_by"] == "2026-01-02T09:03:02Z"  # the second of three witnesses
    assert second["made_after"] == "2026-01-02T09:03:02Z"  # two of three are not before it
    assert second["existed_by"] == "2026-01-02T09:36:02Z"


def test_a_removed_loser_is_found(record: Record, tmp_path: Path) -> None:
    loser = next(i for i, each in record.lines.items() if b'"signal-1"' in each.line)
    cut = Record(tmp_path / "cut")
    cut.entries = record.entries[:loser] + record.entries[loser + 1 :]
    cut.lines = {
        i - (i > loser): changed(each, index=i - (i > loser))
        for i, each in record.lines.items()
        if i != loser
    }
    cut.now = record.now
    cut.checkpoint(mark=False)
    data = cut.bundle(earlier=record.checkpoints[:-1])
    assert {"root", "known"} <= found(data, tmp_path, record.checkpoints[2])
    cut.checkpoints[-1] = record.checkpoints[-1]  # the honest checkpoint over fewer entries
    with pytest.raises(ValueError, match="there are no entries"):
        cut.bundle()


def test_a_loser_that_is_not_shown_counts_as_the_worst(record: Record, tmp_path: Path) -> None:
    hidden = [each for each in record.lines.values() if b'"signal-3"' not in each.line]
    report = of(record.bundle(lines=hidden), tmp_path)
    figures = report.facts["track_record"]
    assert not report.faults
    assert (figures["not_shown"], figures["outcomes_not_shown"]) == (1, 1)
    assert figures["counted_as_losses"] == 2
    assert figures["win_rate"] == pytest.approx(3 / 6)
    assert figures["mean_pct"] == pytest.approx((10 - 5 + 10 + 4 - 5 - 5) / 6)


def test_an_edited_outcome_is_found(record: Record, tmp_path: Path) -> None:
    lines = [
        changed(each, line=each.line.replace(b'"loss"', b'"win"')) for each in record.lines.values()
    ]
    assert found(record.bundle(lines=lines), tmp_path) == {"digest"}


def test_an_outcome_that_was_false_from_the_beginning_is_found(
    draft: Record, tmp_path: Path
) -> None:
    false: list[dict[str, Any]] = [
        {"outcome": "win"},
        {"profit_loss_pct": 5.0},
        {"profit_loss_pct": None},
    ]
    for number, change in enumerate(false):
        draft.signal(f"s{number}")
        draft.outcome(f"s{number}", 95.0, **change)
    faults = ended(draft, tmp_path).faults
    assert [fault.code for fault in faults] == ["outcome"] * 3


def test_a_change_of_an_outcome_that_is_not_entered_is_found(draft: Record, tmp_path: Path) -> None:
    draft.signal("s")
    draft.outcome("s", 95.0)
    draft.signals["s"]["state"] = draft.signals["s"]["state"] | {"outcome": "expired"}
    draft.outcome("s", 110.0)
    assert codes(ended(draft, tmp_path)) == {"outcome"}


def test_a_backdated_signal_is_found(draft: Record, tmp_path: Path) -> None:
    draft.signal("early")
    draft.checkpoint()
    draft.now += timedelta(hours=5)
    at = draft.now - timedelta(hours=7)
    draft.signal("late", received_at=at.isoformat().replace("+00:00", "Z"))
    line = draft.lines.pop(len(draft.entries) - 1).line
    draft.entries.pop()
    draft.enter_line("signal", line, at)
    assert codes(ended(draft, tmp_path)) == {"backdated"}


def test_a_signal_from_the_future_is_found(draft: Record, tmp_path: Path) -> None:
    at = draft.now + timedelta(days=1)
    draft.enter("heartbeat", at)
    assert codes(ended(draft, tmp_path)) == {"postdated"}


def test_a_second_history_of_the_same_size_is_found(record: Record, tmp_path: Path) -> None:
    other = fill(Record(tmp_path / "other"))
    other.entries[-1] = other.entries[-1].replace(b'"signal"', b'"history"')
    again = Record(tmp_path / "again")
    again.entries, again.lines, again.now = other.entries[:-1], other.lines, other.now
    again.enter("heartbeat")
    again.checkpoint(mark=False)
    assert "known" in found(again.bundle(lines=()), tmp_path, record.checkpoints[-1])


def test_a_fork_after_a_restore_is_found(record: Record, tmp_path: Path) -> None:
    fork = Record(tmp_path / "fork")
    fork.entries, fork.now = record.entries[:10], record.now
    for _ in range(30):
        fork.enter("heartbeat")
    fork.checkpoint(mark=False)
    sizes = [int(data.split(b"\n")[1]) for data in record.checkpoints]
    known = record.checkpoints[-1]
    assert "known" in found(fork.bundle(lines=()), tmp_path, known)
    part = fork.bundle(35, 38, lines=(), known=sizes)  # without the entries where they part
    assert "known" in found(part, tmp_path, known)
    assert not found(part, tmp_path, record.checkpoints[1])  # before the fork it is the same


def test_entries_that_were_taken_back_are_found(record: Record, tmp_path: Path) -> None:
    short = Record(tmp_path / "short")
    short.entries, short.now = record.entries[:9], record.now
    short.checkpoint(mark=False)
    report = of(short.bundle(lines=()), tmp_path, record.checkpoints[-1])
    assert codes(report) == {"known"}
    assert "were taken back" in str(report.faults[0])


def test_a_proof_that_leads_from_another_history_is_found(tmp_path: Path) -> None:
    """Of a size that is a power of two the old root is part of the way to the new one."""
    old, new = Record(tmp_path / "old"), Record(tmp_path / "new")
    for number in range(24):
        if number < 8:
            old.enter("account", note="paper")
        new.enter("heartbeat")
    known = old.checkpoint(mark=False)
    new.checkpoint(mark=False)
    assert found(new.bundle(20, 22, known=[8]), tmp_path, known) == {"known"}


def test_a_known_checkpoint_that_cannot_be_compared_is_a_fault(
    record: Record, tmp_path: Path
) -> None:
    report = of(record.bundle(15, 18, earlier=()), tmp_path, record.checkpoints[1])
    assert codes(report) == {"known"}
    assert "ask for a bundle" in str(report.faults[0])


def test_a_swapped_salt_is_found(record: Record, tmp_path: Path) -> None:
    first, second, *rest = record.lines.values()
    swapped = [changed(first, salt=second.salt), changed(second, salt=first.salt), *rest]
    assert found(record.bundle(lines=swapped), tmp_path) == {"digest"}


def test_lines_that_changed_places_are_found(record: Record, tmp_path: Path) -> None:
    first, second, *rest = record.lines.values()
    moved = [changed(first, index=second.index), changed(second, index=first.index), *rest]
    assert found(record.bundle(lines=moved), tmp_path) == {"digest"}


def test_a_line_that_is_shown_twice_or_for_a_mark_is_found(record: Record, tmp_path: Path) -> None:
    lines = list(record.lines.values())
    mark = next(i for i, each in enumerate(record.entries) if b'"mark"' in each)
    for wrong in (lines[0], changed(lines[0], index=mark), changed(lines[0], index=10**6)):
        assert found(record.bundle(lines=[*lines, wrong]), tmp_path) == {"line"}


def test_history_that_is_entered_as_live_is_found(draft: Record, tmp_path: Path) -> None:
    draft.signal("imported", origin="import")
    draft.signal("replayed", origin="replay")
    draft.signal("honest", kind="history", origin="import")
    report = ended(draft, tmp_path)
    assert [fault.code for fault in report.faults] == ["origin", "origin"]
    assert report.facts["track_record"]["shown"] == 2  # history is in no track record


def test_a_signal_with_a_wrong_hash_is_found(draft: Record, tmp_path: Path) -> None:
    draft.signal("s", sha256="0" * 64)
    assert codes(ended(draft, tmp_path)) == {"hash"}


def test_a_time_that_differs_from_the_lines_own_is_found(draft: Record, tmp_path: Path) -> None:
    draft.signal("s", received_at="2026-01-02T09:00:00Z")
    assert codes(ended(draft, tmp_path)) == {"time"}


def test_an_outcome_that_is_entered_as_a_signal_is_found(draft: Record, tmp_path: Path) -> None:
    draft.signal("s")
    line = draft.lines[draft.outcome("s", 95.0)].line
    draft.entries.pop()
    draft.now -= timedelta(minutes=1)
    draft.enter_line("signal", line)
    assert codes(ended(draft, tmp_path)) == {"kind"}


def test_a_strategy_that_was_not_named_first_is_found(draft: Record, tmp_path: Path) -> None:
    draft.signal("s", strategy="secret")
    draft.enter("strategy", note="secret")
    assert codes(ended(draft, tmp_path)) == {"strategy"}


def test_only_the_first_signal_of_an_id_counts(draft: Record, tmp_path: Path) -> None:
    draft.signal("s")
    draft.signal("s", entry_price=50.0)
    draft.outcome("s", 110.0)
    figures = ended(draft, tmp_path).facts["track_record"]
    assert (figures["shown"], figures["repeats"]) == (1, 1)
    assert figures["mean_pct"] == pytest.approx(10.0)


def test_too_few_witnesses_are_found(draft: Record, tmp_path: Path) -> None:
    draft.checkpoint(WITNESSES[:1], mark=False)
    assert found(draft.bundle(), tmp_path) == {"witnesses"}


def test_many_signatures_of_one_key_are_refused(draft: Record, tmp_path: Path) -> None:
    draft.checkpoint([WITNESSES[0]] * 3, mark=False)
    assert found(draft.bundle(), tmp_path) == {"witnesses"}  # one witness, however often
    draft.checkpoint([WITNESSES[0]] * 50, mark=False)
    assert found(draft.bundle(), tmp_path) == {"witnesses", "cosignature"}


@pytest.mark.parametrize("name", ["order_id", "outcome", "exit_price", "confidence"])
def test_a_line_with_another_type_counts_for_nothing(
    draft: Record, tmp_path: Path, name: str
) -> None:
    deep: Any = "end"
    for _ in range(500):
        deep = [deep]
    draft.signal("s", **{name: deep})
    report = ended(draft, tmp_path)
    assert not report.faults
    assert "it counts for nothing" in report.remarks[0]
    assert report.facts["track_record"]["shown"] == 0
    assert report.text()


def test_a_forged_cosignature_is_found(draft: Record, tmp_path: Path) -> None:
    data = draft.checkpoint(mark=False)
    forged = data.replace(b"\n2\n", b"\n1\n")  # nothing but the text is another
    draft.checkpoints[-1] = forged
    assert data == forged or "checkpoint" in found(draft.bundle(), tmp_path)
    lines = data.decode().split("\n")
    lines[-2] = lines[-2].replace("A", "B", 3)
    draft.checkpoints[-1] = "\n".join(lines).encode()
    assert found(draft.bundle(), tmp_path) & {"cosignature", "checkpoint", "witnesses"}


def test_a_log_with_another_key_is_found(tmp_path: Path) -> None:
    stranger = Record(tmp_path / "record", LogSigner("argo.example/record", b"S" * 32))
    stranger.enter("heartbeat")
    stranger.checkpoint(mark=False)
    assert found(stranger.bundle(), tmp_path) == {"checkpoint"}


def test_another_log_is_not_taken_for_the_known_one(tmp_path: Path, record: Record) -> None:
    second = LogSigner("argo.example/second", b"2" * 32)
    other = Record(tmp_path / "record", second)
    other.enter("heartbeat")
    other.checkpoint(mark=False)
    policy = POLICY.replace(b"\n", f"\nlog {second.key}\n".encode(), 1)
    report = checked(other.bundle(), tmp_path / "b.zip", record.checkpoints[-1], policy)
    assert codes(report) == {"known"}


def test_a_checkpoint_of_another_history_says_nothing_about_times(
    record: Record, tmp_path: Path
) -> None:
    other = Record(tmp_path / "other")  # cosigned years before, larger than the range that is shown
    other.now -= timedelta(days=900)
    for _ in range(12):
        other.enter("heartbeat")
    early = other.checkpoint(mark=False)
    report = of(record.bundle(4, 6, earlier=[early]), tmp_path)
    assert report.facts["signals"][0]["existed_by"] > "2026"


def test_an_earlier_checkpoint_of_another_log_is_found(tmp_path: Path, record: Record) -> None:
    second = LogSigner("argo.example/second", b"2" * 32)
    other = Record(tmp_path / "record", second)
    other.enter("heartbeat")
    policy = POLICY.replace(b"\n", f"\nlog {second.key}\n".encode(), 1)
    data = record.bundle(earlier=[other.checkpoint(mark=False)])
    assert codes(checked(data, tmp_path / "b.zip", None, policy)) == {"checkpoint"}


def test_a_mark_of_a_checkpoint_that_holds_the_mark_is_found(draft: Record, tmp_path: Path) -> None:
    later = honest(tmp_path / "later").checkpoints[-1]
    draft.enter("mark", digest=digest_of_checkpoint(later))
    assert "mark" in codes(ended(draft, tmp_path, earlier=[later]))


def test_a_changed_byte_of_a_whole_record_is_found(record: Record) -> None:
    size = len(record.entries)
    for path in (entries_path(0, size), tile_path(0, 0, size)):
        tile = record.folder.path / path
        good = tile.read_bytes()
        for place in range(0, len(good), len(good) // 7):
            tile.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            assert verify(str(record.folder.path), asked()).faults
        tile.write_bytes(good)
    assert not verify(str(record.folder.path), asked()).faults


def test_a_loss_without_a_named_outcome_counts_as_the_loss_that_it_is(tmp_path: Path) -> None:
    record = honest(tmp_path / "record")
    record.outcome("signal-5", 90.0, outcome=None)
    record.checkpoint(mark=False)
    report = checked(record.bundle(), tmp_path / "bundle.zip")
    assert not report.faults
    assert report.facts["track_record"]["open"] == 0
    assert report.facts["track_record"]["win_rate"] == 0.5
