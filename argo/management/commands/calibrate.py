"""`manage.py calibrate`: make the confidence truer, if later signals show that it does."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandParser

from argo.calibration.fitting import calibrate
from argo.calibration.outcomes import OfStrategy, Outcomes, read_outcomes
from argo.calibration.text import as_dict, fitted_text, list_text
from argo.calibration.thresholds import least_confidence, passing
from argo.errors import FieldError, InvalidInput
from signals.analysis.calibration.bins import Bins
from signals.calibration.maps import Map, from_json
from signals.clock import utc_now
from signals.management.command import ArgoCommand
from signals.management.filters import add_filters, filter_of
from signals.models import CalibrationRecord

FILTERS = ("strategy", "origin", "since", "until", "as_of")
"""What is calibrated is calibrated for all symbols and sides, so it is fitted on all."""
MOST_DAYS = 3650


class Command(ArgoCommand):
    help = (
        "Fit a map from the raw confidence to how often signals reached their target, judge it on "
        "later signals, and store it as the next version. Only outcomes that were known at --as-of "
        "count; signals that were not traded count by the bars that followed. Without --origin it "
        "takes the origin that most of the signals have, and says so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--list", action="store_true", help="list the stored versions instead")
        add_filters(parser, OfStrategy, FILTERS)
        parser.add_argument(
            "--embargo", type=float, default=5.0, metavar="DAYS",
            help="leave out outcomes of the last DAYS before a map is used (default: %(default)g)",
        )  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if options["list"]:
            records = list(CalibrationRecord.objects.order_by("version"))
            listed = {"in_use": settings.CALIBRATION or None, "versions": [*map(as_dict, records)]}
            self.answer(options, listed, list_text(records, settings.CALIBRATION))
            return
        wanted, embargo, now = filter_of(options, OfStrategy), _embargo(options), utc_now()
        as_of = _as_of(wanted, now)
        outcomes = read_outcomes(wanted, as_of, embargo)
        record = calibrate(outcomes, wanted, as_of=as_of, embargo=embargo, now=now)
        made, raw = from_json(record.map), outcomes.ended.confidence
        passed = passing(raw, made(raw), least_confidence(record.strategy))
        bins = _bins(outcomes, made)
        answer = as_dict(record) | {
            "bins": bins,
            "passing": passed._asdict(),
            "origins": outcomes.origins.numbers,
        }
        self.answer(options, answer, fitted_text(record, outcomes.origins, bins, passed))


def _as_of(wanted: OfStrategy, now: datetime) -> datetime:
    if wanted.as_of is not None and wanted.as_of > now:
        raise InvalidInput([FieldError("--as-of", f"{wanted.as_of} is in the future")])
    return wanted.as_of or now


def _embargo(options: dict[str, Any]) -> timedelta:
    days = options["embargo"]
    if not 0 <= days <= MOST_DAYS:
        fault = FieldError("--embargo", f"{days:g} is not a number of days from 0 to {MOST_DAYS}")
        raise InvalidInput([fault])
    return timedelta(days=days)


def _bins(outcomes: Outcomes, made: Map) -> list[dict[str, Any]]:
    """Return the bins of the raw confidence, each with what its mean becomes."""
    rows = Bins(outcomes.ended.confidence, outcomes.ended.event).rows()
    calibrated = made(np.array([row.confidence for row in rows]))
    return [
        row._asdict() | {"interval": row.interval and row.interval._asdict(), "calibrated": value}
        for row, value in zip(rows, calibrated.tolist(), strict=True)
    ]
