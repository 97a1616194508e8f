"""The action that verifies the chosen signals: row, hash and journal line of each."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from argo.errors import ArgoError
from signals.config import journal
from signals.models import Signal
from signals.verification import verify_one

MOST = 100
"""Signals of one action: some are searched in the whole journal."""


@admin.action(description="Verify", permissions=["view"])
def verify(
    model_admin: admin.ModelAdmin[Signal], request: HttpRequest, signals: QuerySet[Signal]
) -> None:
    """Show a message for each finding, and how many signals are unaltered."""
    ids = list(signals.values_list("signal_id", flat=True)[: MOST + 1])
    if len(ids) > MOST:
        messages.error(
            request, f"Choose at most {MOST} signals at a time; `verify_signals` takes all."
        )
        return
    good = sum(_is_unaltered(request, signal_id) for signal_id in ids)
    if good:
        messages.success(request, f"Unaltered: {good} of {len(ids)}. Row, hash and journal agree.")


def _is_unaltered(request: HttpRequest, signal_id: str) -> bool:
    try:
        found = [finding.detail for finding in verify_one(journal(), signal_id)]
    except (ArgoError, OSError) as error:
        found = [f"it could not be verified: {error}"]
    for detail in found:
        messages.error(request, f"Signal {signal_id}: {detail}")
    return not found
