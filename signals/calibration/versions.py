"""Finds the stored calibration that a setting names, and refuses one that may not be used."""

from argo.errors import ArgoError
from signals.models import CalibrationRecord

LIST = "`calibrate --list` shows the stored ones"


class Unusable(ArgoError):
    """The calibration that CALIBRATION names may not be used; the message says why."""

    exit_code = 2


def usable(version: int, strategy: str) -> CalibrationRecord:
    """Return this version, if it is for this strategy and won on later signals.

    Raises Unusable otherwise: nothing is switched on that was not better than what it replaces.
    """
    record = CalibrationRecord.objects.filter(version=version).first()
    if record is None:
        raise _unusable(version, "is not stored")
    if record.strategy != strategy:
        raise _unusable(version, f"is for the strategy {record.strategy}, not for {strategy}")
    if not record.won:
        raise _unusable(
            version,
            "was not better on later signals than the raw confidence and than the base rate",
        )
    return record


def _unusable(version: int, why: str) -> Unusable:
    return Unusable(f"CALIBRATION={version}: calibration {version} {why} ({LIST})")
