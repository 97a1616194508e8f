"""A calibrated confidence is the signal's confidence; the raw one and the version stay with it."""

import hashlib
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from argo.reports.explain.story import explain
from argo.reports.explain.text import story_text
from signals.clock import utc_now
from signals.config import journal
from signals.generation.candidates import interrupted
from signals.generation.votes import Direction, Vote
from signals.journal import Line, Offset
from signals.ledger.queries import one
from signals.ledger.records import CALIBRATED, context_row, decode, json_object
from signals.market.bars import Bars
from signals.models import CalibrationRecord, CandidateRecord, Signal
from signals.transfer.importing import encode_imported
from signals.transfer.reading import read_signals
from signals.verification import verify_one
from tests.signals.generation.markets import market_of
from tests.signals.generation.pipelines import halved, pipeline_of
from tests.signals.generation.test_service import ScriptedService

pytestmark = pytest.mark.django_db
HASHED = (
    "action", "confidence", "entry_price", "signal_id", "stop_price", "strategy", "symbol",
    "target_price", "timestamp",
)  # fmt: skip


def buys(bars: Bars) -> Vote:
    return Vote(Direction.BUY, 90.0, {})


def generated(min_confidence: float) -> str | None:
    """Run a cycle that proposes one signal of 90, calibrated 45; return its id or the reasons."""
    pipeline = halved(pipeline_of(buys, min_confidence=min_confidence))
    return ScriptedService(market_of("AAPL"), pipeline).cycle("AAPL")[0]


def stored_calibration(known_until: datetime) -> CalibrationRecord:
    """Store a calibration that won, and halves each confidence."""
    return CalibrationRecord.objects.create(
        strategy="weighted_consensus", map={"kind": "isotonic", "points": [[0, 0], [1, 0.5]]},
        fitted_at=known_until, as_of=known_until, embargo_days=0, first_made_at=known_until,
        last_made_at=known_until, known_until=known_until, traded=0, untraded=0, open=0,
        origin="replay", code_version="0", data_sha256="0", scores={}, won=True,
    )  # fmt: skip


def replayed(*options: str) -> list[tuple[float, float | None, int | None]]:
    """Replay FB; return each signal's final and raw confidence, and the version."""
    call_command("replay", "--symbols", "FB", *options, stdout=StringIO())
    return list(
        Signal.objects.order_by("id").values_list(
            "confidence", *(f"context__{name}" for name in CALIBRATED)
        )
    )


def test_the_calibrated_confidence_is_the_final_one_and_the_raw_one_is_kept() -> None:
    signal_id = generated(min_confidence=40.0)
    signal = one(str(signal_id))
    kept = (signal["confidence"], signal["raw_confidence"], signal["calibration_version"])
    assert kept == (45.0, 90.0, 3)
    assert signal["reasoning"].startswith("BUY at 45.0% (raw 90.0%, calibration 3) with 100%")
    record = CandidateRecord.objects.get()
    assert (record.confidence, record.raw_confidence, record.calibration_version) == kept
    assert record.signal_id == signal_id


def test_the_gates_compare_the_calibrated_confidence() -> None:
    assert generated(min_confidence=50.0) == "confidence"
    record = CandidateRecord.objects.get()
    assert record.reasons[0]["text"] == "confidence 45 is below 50 (overall)"
    assert (record.raw_confidence, record.calibration_version) == (90.0, 3)


def test_a_candidate_that_was_interrupted_keeps_both() -> None:
    generated(min_confidence=40.0)
    CandidateRecord.objects.update(signal_id=None)
    ((_, _, again),) = interrupted(utc_now())
    stored = one(str(Signal.objects.get().signal_id))
    assert {name: again[name] for name in ("confidence", *CALIBRATED)} == {
        name: stored[name] for name in ("confidence", *CALIBRATED)
    }


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_it_survives_journal_row_export_and_import_with_the_same_hash(
    tmp_path: Path, ending: str
) -> None:
    """The hash is that of the contract: it covers the final confidence, and not the raw one."""
    signal = one(str(generated(min_confidence=40.0)))
    text = json.dumps({name: signal[name] for name in HASHED}, sort_keys=True)
    assert signal["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert verify_one(journal(), signal["signal_id"]) == []
    path = tmp_path / f"signals.{ending}"
    call_command("export_signals", str(path), stdout=StringIO())
    ((_, exported),) = read_signals(path)
    assert isinstance(exported, dict)
    receipt, data = encode_imported(exported, utc_now(), "import")
    assert receipt[:2] == (signal["signal_id"], signal["sha256"])
    line = Line(Offset(0, 0), data)
    imported = decode(json_object(line), line)
    assert context_row(1, None, imported)[-3:] == (90.0, 3, None)


def test_its_story_shows_both() -> None:
    told = story_text(explain(str(generated(min_confidence=40.0))))
    assert "raw_confidence       90" in told
    assert "calibration_version  3" in told


def test_a_replay_never_uses_a_calibration_of_later_outcomes(settings: Settings) -> None:
    settings.MIN_CONFIDENCE = 30.0
    settings.CALIBRATION = stored_calibration(datetime(2013, 1, 2, tzinfo=UTC)).pk
    with pytest.raises(CommandError, match="was fitted on outcomes until") as error:
        replayed("--from", "2012-12-31")
    assert error.value.returncode == 2
    assert not CandidateRecord.objects.exists()
    raw = replayed("--from", "2012-12-31", "--raw")
    assert raw
    assert all(each[1:] == (None, None) for each in raw)


def test_a_replay_uses_a_calibration_of_earlier_outcomes(settings: Settings) -> None:
    settings.MIN_CONFIDENCE = 30.0
    version = stored_calibration(datetime(2012, 12, 31, tzinfo=UTC)).pk
    settings.CALIBRATION = version
    found = replayed("--from", "2013-01-01")
    assert found
    assert {by for _, _, by in found} == {version}
    assert all(raw is not None and final == pytest.approx(raw / 2) for final, raw, _ in found)
