"""The action that asks for a decision on the chosen signals, as `execute_signals` does."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from execution.admin.common import Question, ask, each
from execution.decisions.queue import ask_for
from signals.admin.changelist import needing
from signals.admin.common import who
from signals.clock import utc_now
from signals.models import Signal

MOST = 200
"""Signals of one action."""
EXECUTE = Question(
    "Execute these signals?",
    "A worker decides on each within seconds. AUTO_EXECUTE does not matter then, but every rule "
    "does: a signal that breaks one is skipped, and its page says why.",
    "Execute the signals",
    "execute",
)


@needing("execution.change_decision", "Execute…")
def execute(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Model]
) -> TemplateResponse | None:
    """Ask for the reason, and queue each signal that may still be traded.

    The rows are signals, or have the keys of signals.
    """
    keys = list(rows.order_by().values_list("pk", flat=True)[: MOST + 1])
    if len(keys) > MOST:
        messages.error(request, f"Choose at most {MOST} signals at a time.")
        return None
    signals = list(Signal.objects.filter(pk__in=keys).order_by("-timestamp", "-pk"))
    why = ask(model_admin, request, EXECUTE, signals)
    if isinstance(why, TemplateResponse):
        return why
    for signal in each(request, signals, lambda row: _asked(row, who(request), why)):
        model_admin.log_change(request, signal, f"Asked to execute: {why}")
    return None


def _asked(signal: Signal, by: str, why: str) -> str:
    ask_for(signal.signal_id, by, utc_now(), why)
    return f"A worker decides on it within seconds: {signal}"
