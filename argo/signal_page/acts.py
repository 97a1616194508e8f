"""What a user may do with a signal on its page: actions of the lists, with this signal chosen."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse

from argo.reports.explain.schemas import Story
from execution.models import Position
from signals.models import Signal


class Act(NamedTuple):
    """A button: the list and its action that it calls, the key of the chosen row, and its text."""

    list: str
    action: str
    key: int
    label: str

    @property
    def url(self) -> str:
        return reverse(f"admin:{self.list}_changelist")


def acts(story: Story, row: Signal, user: Any) -> Iterator[Act]:  # noqa: ANN401  # a user
    """Yield the acts that the user may do and that make sense for the signal as it is."""
    signals = "signals_signal"
    if user.has_perm("signals.change_signal"):
        yield Act(signals, "set_outcomes", row.pk, "Set the outcome")
    if user.has_perm("execution.change_decision") and _is_undecided(story, row):
        yield Act(signals, "execute", row.pk, "Execute")
    if user.has_perm("execution.change_position") and _is_open(row):
        yield Act("execution_position", "close", row.pk, "Close the position")
    if user.has_perm("sync.change_delivery") and _is_dead(story):
        yield Act("sync_delivery", "send_again", row.pk, "Send to Alpine again")
    yield Act(signals, "verify", row.pk, "Verify")
    yield Act(signals, "export_csv", row.pk, "Export as CSV")


def _is_undecided(story: Story, row: Signal) -> bool:
    status = story.decision.status if story.decision else "skipped"
    return row.outcome is None and status in ("pending", "skipped")


def _is_open(row: Signal) -> bool:
    """Return whether there is an open position, on the account that is traded now."""
    position = getattr(row, "position", None)
    return position is not None and (position.status, position.account) == (
        Position.Status.OPEN,
        settings.TRADING_ACCOUNT,
    )


def _is_dead(story: Story) -> bool:
    return story.sync is not None and story.sync["status"] == "dead"
