"""A calibration is fitted on what was known, judged on what came later, and used if it won."""

import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from argo.calibration.thresholds import passing
from execution.models import Counterfactual
from signals.calibration.maps import from_json
from signals.calibration.versions import Unusable
from signals.checks import calibration_is_usable
from signals.generation import factory
from signals.models import CalibrationRecord
from signals.rows import Immutable
from tests.argo.calibration.histories import blind, end, informed, log_history, moment

pytestmark = pytest.mark.django_db

THEN = moment(27.99).isoformat()
"""Of 300 signals 280 had been received then, and 260 had ended."""


def calibrate(*options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed("--json", *options))
    return found


def printed(*options: str) -> str:
    out = StringIO()
    call_command("calibrate", *options, stdout=out)
    return out.getvalue()


def refused(*options: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as error:
        call_command("calibrate", *options)
    assert not CalibrationRecord.objects.exists(), "nothing is stored"
    return error.value.returncode, str(error.value)


def test_one_that_wins_is_stored_with_all_that_it_rests_on(settings: Settings) -> None:
    confidence, event = informed()
    log_history(confidence, event, traded=range(20))
    log_history(confidence[:10] / 3, event[:10], origin="api")
    found = calibrate("--embargo", "1")
    record = CalibrationRecord.objects.get()
    assert (found["version"], found["won"], found["n"]) == (record.version, True, 300)
    assert (found["traded"], found["untraded"], found["open"]) == (20, 280, 0)
    assert (found["origin"], found["origins"]) == ("replay", {"replay": 300, "api": 10})
    assert (record.known_until, record.embargo_days) == (moment(31).replace(minute=9), 1.0)
    brier, losses = found["scores"]["brier"], found["scores"]["log_loss"]
    assert brier["calibrated"] < min(brier["raw"], brier["base_rate"])
    assert losses["calibrated"] < min(losses["raw"], losses["base_rate"])
    made = from_json(record.map)
    assert sum(each["n"] for each in found["bins"]) == 300
    assert [each["calibrated"] for each in found["bins"]] == pytest.approx(
        made(np.array([each["confidence"] for each in found["bins"]]))
    )
    settings.CALIBRATION = record.version
    again = printed()
    assert f"set CALIBRATION={record.version + 1}." in again
    assert "SHA-256 " + record.data_sha256 in again
    assert "10 of the origin api" in again
    listed = json.loads(printed("--list", "--json"))
    assert listed["in_use"] == record.version
    assert [each["version"] for each in listed["versions"]] == [record.version, record.version + 1]
    assert f"* {record.version:>7}  weighted_consensus" in printed("--list")


def test_only_what_was_known_at_the_moment_counts() -> None:
    """Outcomes that came later, and edits of earlier ones, change nothing of the fit."""
    signals = log_history(*informed(), traded=range(30))
    then = calibrate("--as-of", THEN)
    assert (then["n"], then["open"]) == (210, 70), "received, but not ended five days before"
    end(signals[5], is_win=signals[5].outcome != "win", at=moment(29))
    Counterfactual.objects.filter(ended_at__gt=moment(28)).update(outcome="loss")
    same = ("map", "scores", "data_sha256", "n", "known_until")
    again = calibrate("--as-of", THEN)
    assert [again[name] for name in same] == [then[name] for name in same]
    assert calibrate("--as-of", THEN, "--embargo", "4")["n"] == 220


def test_an_outcome_that_was_edited_before_counts_as_edited_and_from_then() -> None:
    signals = log_history(*informed(), traded=range(30))
    before = calibrate("--as-of", THEN)
    end(signals[5], is_win=signals[5].outcome != "win", at=moment(10))
    after = calibrate("--as-of", THEN)
    assert (after["n"], after["data_sha256"] == before["data_sha256"]) == (before["n"], False)
    assert after["map"] != before["map"]
    end(signals[6], is_win=True, at=moment(26))
    end(signals[6], is_win=False, at=moment(26))
    assert calibrate("--as-of", THEN)["n"] == before["n"] - 1, "known too late for the embargo"


def test_nothing_is_used_that_did_not_win_on_later_signals(settings: Settings) -> None:
    log_history(*blind())
    text = printed()
    record = CalibrationRecord.objects.get()
    assert not record.won
    assert "did not win" in text
    assert "To switch it on" not in text
    settings.CALIBRATION = record.version
    with pytest.raises(Unusable, match="was not better on later signals"):
        factory.pipeline()
    (error,) = calibration_is_usable(databases=["default"])
    assert (error.id, "was not better" in error.msg) == ("argo.E013", True)
    with pytest.raises(CommandError, match="was not better") as refusal:
        call_command("generate_signals")
    assert refusal.value.returncode == 2, "it never goes on with the raw confidence"
    assert factory.pipeline(calibrated=False).calibration is None


def test_one_of_another_strategy_or_none_at_all_is_refused(settings: Settings) -> None:
    log_history(*informed(), strategy="theirs")
    settings.CALIBRATION = calibrate("--strategy", "theirs")["version"]
    with pytest.raises(Unusable, match="is for the strategy theirs, not for weighted_consensus"):
        factory.pipeline()
    settings.CALIBRATION += 1
    with pytest.raises(Unusable, match="is not stored"):
        factory.pipeline()
    assert [each.id for each in calibration_is_usable(databases=["default"])] == ["argo.E013"]
    assert calibration_is_usable(databases=None) == []


def test_one_that_won_is_used(settings: Settings) -> None:
    log_history(*informed())
    found = calibrate()
    settings.CALIBRATION = found["version"]
    assert calibration_is_usable(databases=["default"]) == []
    used = factory.pipeline().calibration
    assert used is not None
    assert (used.version, used.map) == (found["version"], from_json(found["map"]))
    assert used(80.0) == pytest.approx(100 * used.map(np.array([0.8]))[0])


def test_a_calibrated_signal_is_fitted_on_its_raw_confidence() -> None:
    confidence, event = informed()
    log_history(confidence, event)
    log_history(confidence / 2, event, origin="generator", raw_confidence=confidence)
    raw, calibrated = calibrate("--origin", "replay"), calibrate("--origin", "generator")
    assert raw["data_sha256"] == calibrated["data_sha256"]
    assert raw["map"] == calibrated["map"]


@pytest.mark.parametrize(
    ("n", "event", "options", "message"),
    [
        (0, 1.0, (), "There are no signals of the strategy weighted_consensus that were received"),
        (30, 1.0, ("--origin", "api"), "weighted_consensus of the origin api that were received"),
        (150, None, (), "Only 150 signals of the origin replay had an outcome"),
        (250, 1.0, (), "All 250 signals of the origin replay ended alike"),
    ],
)
def test_too_little_is_refused(
    n: int, event: float | None, options: tuple[str, ...], message: str
) -> None:
    confidence, events = informed(max(n, 1))
    if n:
        log_history(confidence, events if event is None else np.full(n, event))
    code, text = refused(*options)
    assert (code, message in text) == (1, True), text


def test_outcomes_that_were_all_known_at_the_end_cannot_be_judged() -> None:
    log_history(*informed())
    Counterfactual.objects.update(ended_at=moment(60))
    code, text = refused()
    assert (code, "cannot be judged" in text) == (1, True)


def test_nobody_knows_the_outcomes_of_the_future() -> None:
    code, text = refused("--as-of", "2099-01-01T00:00:00Z")
    assert (code, text) == (2, "--as-of: 2099-01-01 00:00:00+00:00 is in the future")


@pytest.mark.parametrize("days", ["-1", "nan", "1e9"])
def test_an_embargo_is_a_number_of_days(days: str) -> None:
    code, text = refused("--embargo", days)
    assert (code, text.startswith("--embargo: ")) == (2, True)


def test_a_stored_version_never_changes() -> None:
    log_history(*informed())
    calibrate()
    record = CalibrationRecord.objects.get()
    record.won = False
    with pytest.raises(Immutable):
        record.save()
    with pytest.raises(Immutable):
        record.delete()
    with pytest.raises(Immutable):
        CalibrationRecord.objects.update(won=False)
    with pytest.raises(Immutable):
        CalibrationRecord.objects.all().delete()
    assert CalibrationRecord.objects.get().won


def test_before_the_table_is_there_the_check_is_silent(settings: Settings) -> None:
    settings.CALIBRATION = 1
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE calibrations RENAME TO elsewhere")
    assert calibration_is_usable(databases=["default"]) == []


def test_the_proposed_threshold_lets_as_many_pass_as_now() -> None:
    raw = np.array([0.5, 0.6, 0.8, 0.9])
    found = passing(raw, np.array([0.2, 0.31, 0.31459, 0.4]), 75.0)
    assert (found.raw_passes, found.calibrated_passes, found.n) == (2, 0, 4)
    assert (found.proposed, found.proposed_passes) == (31.45, 2)
    level = passing(raw, np.array([0.3, 0.3, 0.3, 0.4]), 75.0)
    assert (level.proposed, level.proposed_passes) == (30.0, 4), "none of a level is above others"
    assert passing(raw, raw, 95.0).proposed is None
