"""A calibration as text, for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from argo.calibration.thresholds import Passing
from argo.reports.origins import Origins
from signals.models import CalibrationRecord
from signals.timestamps import utc_text

DID_NOT_WIN = (
    "It did not win: on later signals it did not beat both the raw confidence and the base rate.",
    "It is stored, but Argo refuses to use it: leave CALIBRATION as it is.",
)
TITLES = {"calibrated": "calibrated", "raw": "raw", "base_rate": "base rate"}
Answer = dict[str, Any]


def as_dict(record: CalibrationRecord) -> Answer:
    """Return the stored columns."""
    names = [field.attname for field in record._meta.concrete_fields]
    return {name: getattr(record, name) for name in names} | {"n": record.n}


def list_text(records: Sequence[CalibrationRecord], in_use: int) -> str:
    """Return a line for each version; the one that CALIBRATION names has a star."""
    if not records:
        return "No calibration is stored. Fit one with the command calibrate."
    head = f"  {'version':>7}  {'strategy':<22}{'origin':<12}{'signals':>9}  known until  "
    return "\n".join([head + "Brier: calibrated, raw, base rate", *_lines(records, in_use)])


def fitted_text(
    record: CalibrationRecord, origins: Origins, bins: Sequence[Answer], passed: Passing
) -> str:
    """Return what was fitted, on what, how it was judged, and what to do next."""
    return "\n".join(
        [
            *_head(record, origins),
            "",
            *_map(bins),
            "",
            *_scores(record.scores),
            "",
            *(_switch_on(record, passed) if record.won else DID_NOT_WIN),
        ]
    )


def _lines(records: Sequence[CalibrationRecord], in_use: int) -> Iterator[str]:
    for each in records:
        brier = ", ".join(f"{each.scores['brier'][name]:.4f}" for name in TITLES)
        yield (
            f"{'*' if each.version == in_use else ' '} {each.version:>7}  {each.strategy:<22}"
            f"{each.origin:<12}{each.n:>9,}  {each.known_until:%Y-%m-%d}   {brier}  "
            f"{'won' if each.won else 'did not win'}"
        )


def _head(record: CalibrationRecord, origins: Origins) -> Iterator[str]:
    asked = f"asked as of {utc_text(record.as_of)}, embargo {record.embargo_days:g} days"
    yield f"Calibration {record.version} of the raw confidence of {record.strategy}"
    yield f"  origin    {record.origin}"
    yield f"  signals   {record.n:,}: {record.traded:,} traded, and"
    yield f"            {record.untraded:,} that were not traded, by the bars that followed"
    yield f"  left out  {record.open:,} without an outcome that was known in time"
    for name, number in origins.numbers.items():
        if name != record.origin:
            yield f"            {number:,} of the origin {name}"
    yield f"  made      {utc_text(record.first_made_at)} to {utc_text(record.last_made_at)}"
    yield f"  outcomes  known until {utc_text(record.known_until)}"
    yield f"            {asked}"
    yield f"  data      SHA-256 {record.data_sha256}"


def _map(bins: Sequence[Answer]) -> Iterator[str]:
    yield f"{'raw confidence':<20}{'signals':>9}{'mean':>9}{'reached':>9}{'calibrated':>12}"
    for each in bins:
        span = f"{each['low']:.1%} to {each['high']:.1%}"
        yield (
            f"{span:<20}{each['n']:>9,}{each['confidence']:>9.1%}{each['share']:>9.1%}"
            f"{each['calibrated']:>12.1%}"
        )


def _scores(scores: Answer) -> Iterator[str]:
    yield (
        f"On {scores['n']:,} later signals, in {scores['folds']} parts, each judged by a map of "
        "what was known before it (lower is better):"
    )
    yield f"{'':<12}{'Brier':>10}{'log loss':>12}"
    for name, title in TITLES.items():
        loss = scores["log_loss"][name]
        shown = "-" if loss is None else f"{loss:.4f}"
        yield f"{title:<12}{scores['brier'][name]:>10.4f}{shown:>12}"
    if scores["log_loss_null_because"]:
        yield f"(-: {scores['log_loss_null_because']})"


def _switch_on(record: CalibrationRecord, passed: Passing) -> Iterator[str]:
    """Yield what to set, and what that does to the signals that pass."""
    yield "It won: by its Brier score it beat both the raw confidence and the base rate."
    yield f"To switch it on, set CALIBRATION={record.version}."
    yield (
        f"Of these signals {_share(passed.raw_passes, passed.n)} pass the least confidence of "
        f"{passed.least:g} now; calibrated, {_share(passed.calibrated_passes, passed.n)} would."
    )
    if passed.proposed_passes is not None:
        yield (
            f"MIN_CONFIDENCE={passed.proposed:g} would let "
            f"{_share(passed.proposed_passes, passed.n)} of the calibrated ones pass."
        )
        yield (
            "It holds for the signals of senders too: give their strategies a limit of their own "
            "in MIN_CONFIDENCE_BY_STRATEGY."
        )


def _share(number: int, n: int) -> str:
    return f"{number:,} ({number / n:.1%})"
