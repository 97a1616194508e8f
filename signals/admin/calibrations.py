"""The admin page of calibrations."""

from django.contrib import admin

from signals.admin.changelist import KeysetAdmin
from signals.admin.common import ReadOnly
from signals.models import CalibrationRecord


@admin.register(CalibrationRecord)
class CalibrationAdmin(ReadOnly, KeysetAdmin[CalibrationRecord]):
    """Lists the stored versions; the command `calibrate` makes the next one."""

    list_display = (
        "version", "strategy", "origin", "n", "known_until", "as_of", "fitted_at", "won",
    )  # fmt: skip
