"""A proof file proves one line, and nothing that was changed in it goes unseen."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signals.record.bundle import make_proof
from signals.record.verifier.proof_check import check_proofs
from signals.record.verifier.report import Report
from tests.signals.record.sample import Record, asked, codes, honest


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return honest(tmp_path_factory.mktemp("honest"))


def proof_of(record: Record, index: int, extra: bytes = b"") -> bytes:
    tiles = record.folder.tiles(len(record.entries))
    salt = record.lines[index].salt
    return make_proof(tiles, record.checkpoints[-1], index, salt + extra).encoded()


def judged(data: bytes, line: bytes, known: bytes | None = None) -> Report:
    report = Report()
    check_proofs([data], [line], asked(known), report)
    report.text()
    return report


def test_every_line_is_proved(record: Record) -> None:
    for index, shown in record.lines.items():
        report = judged(proof_of(record, index), shown.line)
        assert not report.faults
        assert report.facts["index"] == index


def test_history_is_proved_with_the_time_at_which_it_was_entered(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    index = record.signal("s", kind="history", origin="import", received_at="2020-01-01T00:00:00Z")
    record.checkpoint(mark=False)
    line = record.lines[index].line
    assert codes(judged(proof_of(record, index), line)) == {"inclusion"}
    report = judged(proof_of(record, index, b"2026-01-02T09:01:00Z"), line)
    assert not report.faults
    assert report.facts["kind"] == "history"


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_proof_is_refused(record: Record, data: st.DataObject) -> None:
    index = min(record.lines)
    good = proof_of(record, index)
    head = good.index(b"\n\n")  # a changed name of a witness below would only lose a cosignature
    at = data.draw(st.integers(0, head))
    changed = good[:at] + data.draw(st.binary(max_size=3)) + good[at + 1 :]
    assert judged(changed, record.lines[index].line).faults or changed == good


def test_the_proof_of_another_entry_is_refused(record: Record) -> None:
    first, second = sorted(record.lines)[:2]
    assert codes(judged(proof_of(record, first), record.lines[second].line)) == {"inclusion"}


def test_a_proof_is_compared_with_a_known_checkpoint(record: Record) -> None:
    index = min(record.lines)
    line = record.lines[index].line
    assert not judged(proof_of(record, index), line, record.checkpoints[-1]).faults
    assert codes(judged(proof_of(record, index), line, record.checkpoints[0])) == {"known"}
