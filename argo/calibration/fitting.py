"""Fits the next calibration, judges it on later signals, and stores it."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from argo.calibration.outcomes import OfStrategy, Outcomes
from argo.errors import ArgoError
from argo.version import version
from signals.analysis.calibration.fitting import fit
from signals.analysis.calibration.judging import FEWEST, Verdict, judge
from signals.models import CalibrationRecord
from signals.timestamps import utc_text

NEEDED = 2 * FEWEST
"""Outcomes: half for the first map, and half to judge it on."""
NO_LOSS = "something happened that was given the probability 0, which costs without limit"


class TooLittle(ArgoError):
    """There is too little to fit a calibration on, or to judge it on."""


def calibrate(
    outcomes: Outcomes, wanted: OfStrategy, *, as_of: datetime, embargo: timedelta, now: datetime
) -> CalibrationRecord:
    """Fit, judge and store the next version; return it.

    Raises TooLittle, and stores nothing, if it cannot be fitted and judged.
    """
    origin = _origin(outcomes, wanted, as_of)
    _check(outcomes, origin)
    ended = outcomes.ended
    verdict = judge(ended, embargo=np.timedelta64(embargo))
    if verdict is None:
        raise TooLittle(
            f"{outcomes.n:,} signals have ended, but they cannot be judged: none was made after "
            f"the first {FEWEST} outcomes were known. Fit it when later signals have ended."
        )
    record = CalibrationRecord(
        strategy=wanted.strategy, map=fit(ended.confidence, ended.event).as_json(),
        fitted_at=now, as_of=as_of, embargo_days=embargo / timedelta(days=1),
        first_made_at=_moment(ended.made.min()), last_made_at=_moment(ended.made.max()),
        known_until=_moment(ended.known.max()),
        traded=outcomes.traded, untraded=outcomes.untraded, open=outcomes.left_out,
        origin=origin,
        filters=wanted.model_dump(mode="json", exclude_none=True),
        code_version=version(), data_sha256=outcomes.sha256(),
        scores=scores_of(verdict), won=verdict.won,
    )  # fmt: skip
    record.save()
    return record


def scores_of(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as JSON; a logarithmic loss without limit is null with its reason."""
    losses = {name: _finite(loss) for name, loss in verdict.log_loss.items()}
    because = None if all(loss is not None for loss in losses.values()) else NO_LOSS
    return {
        "n": verdict.n,
        "folds": verdict.folds,
        "brier": verdict.brier,
        "log_loss": losses,
        "log_loss_null_because": because,
    }


def _origin(outcomes: Outcomes, wanted: OfStrategy, as_of: datetime) -> str:
    """Return the origin of the signals. Raises TooLittle without signals."""
    origin = outcomes.origins.chosen
    if origin is None or not outcomes.n + outcomes.left_out:
        named = f" of the origin {wanted.origin}" if wanted.origin else ""
        raise TooLittle(
            f"There are no signals of the strategy {wanted.strategy}{named} that were received "
            f"by {utc_text(as_of)}: choose others with --strategy or --origin, or a later --as-of."
        )
    return origin


def _check(outcomes: Outcomes, origin: str) -> None:
    signals = f"{outcomes.n:,} signals of the origin {origin}"
    if outcomes.n < NEEDED:
        raise TooLittle(
            f"Only {signals} had an outcome that was known in time, and {outcomes.left_out:,} had "
            f"none; a calibration needs {NEEDED}, to be fitted and to be judged on later ones."
        )
    if outcomes.ended.event.min() == outcomes.ended.event.max():
        raise TooLittle(f"All {signals} ended alike: there is nothing to calibrate on.")


def _moment(time: np.datetime64) -> datetime:
    moment: datetime = time.astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC)


def _finite(loss: float) -> float | None:
    return None if math.isnan(loss) else loss
