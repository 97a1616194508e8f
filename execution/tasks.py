"""Celery tasks of execution. A message is a hint: to lose or to repeat it harms nothing."""

from contextlib import AbstractContextManager
from functools import cache

from celery import shared_task
from django.conf import settings

from execution.accounts.compliance import warn_of_unstated_base
from execution.accounts.failures import recording_failures
from execution.context import TradingContext
from execution.decisions.engine import send_and_decide
from execution.factory import trading_context
from execution.monitoring import monitor as monitoring
from execution.monitoring import reconcile as reconciliation
from signals.clock import utc_now


@shared_task(name="execution.tasks.execute")
def execute() -> int:
    """Decide on pending signals and send due orders; return how many signals were executed."""
    with _recording("execute"):
        return send_and_decide(_ready_context()).executed


@shared_task(name="execution.tasks.monitor")
def monitor() -> int:
    """Look at everything that is open; return how many orders were filled."""
    with _recording("monitor"):
        try:
            _ready_context()
        finally:  # what must be closed is closed even if the records cannot be compared
            filled = monitoring.monitor(trading_context()).filled
        return filled


@shared_task(name="execution.tasks.reconcile")
def reconcile() -> int:
    """Compare our records with the broker's; return the number of differences."""
    with _recording("reconcile"):
        return len(reconciliation.reconcile(trading_context()))


def _recording(task: str) -> AbstractContextManager[None]:
    """Keep an error for health, even if the account was never reached."""
    return recording_failures(settings.TRADING_ACCOUNT, task, utc_now)


@cache
def _ready_context() -> TradingContext:
    """Return the context after the first comparison with the broker: a restart trusts no row."""
    ready = trading_context()
    reconciliation.reconcile(ready)
    warn_of_unstated_base(ready)
    return ready
