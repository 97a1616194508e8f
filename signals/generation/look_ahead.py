"""Keeps a replay from using a calibration that knows the replay's future."""

from collections.abc import Iterable
from datetime import datetime

from argo.errors import ArgoError
from signals.calibration.calibration import Calibration
from signals.timestamps import utc_text


class LookAhead(ArgoError):
    """The replay would know outcomes that lie in its future."""

    exit_code = 2


def check_look_ahead(calibration: Calibration | None, begins: Iterable[datetime]) -> None:
    """Raise LookAhead if the calibration was fitted on outcomes of after the first of `begins`."""
    first = min(begins, default=None)
    if calibration is None or first is None or calibration.known_until <= first:
        return
    raise LookAhead(
        f"CALIBRATION={calibration.version} was fitted on outcomes until "
        f"{utc_text(calibration.known_until)}, which the first bar of this replay, "
        f"{utc_text(first)}, must not know. Begin the replay later (--from), or leave the "
        "confidence raw (--raw)."
    )
