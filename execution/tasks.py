"""Celery tasks of execution. A message is a hint; losing or repeating it harms nothing."""

from contextlib import AbstractContextManager
from functools import cache

from celery import shared_task
from django.conf import settings

from execution.accounts.failures import recording_failures
from execution.context import TradingContext
from execution.decisions.engine import send_and_decide
from execution.factory import trading_context
from execution.monitoring.monitor import monitor as look
from execution.monitoring.reconcile import reconcile as compare
from signals.clock import utc_now


@shared_task(name="execution.tasks.execute")
def execute() -> int:
    """Decide on what waits for it, and send what is on its way; answers how many were executed."""
    with _noted("execute"):
        return send_and_decide(_ready_context()).executed


@shared_task(name="execution.tasks.monitor")
def monitor() -> int:
    """Follow the trades; answers how many orders were filled."""
    with _noted("monitor"):
        return look(_ready_context()).filled


@shared_task(name="execution.tasks.reconcile")
def reconcile() -> int:
    """Compare our books with the broker's; answers how many differences there are."""
    with _noted("reconcile"):
        return len(compare(trading_context()))


def _noted(task: str) -> AbstractContextManager[None]:
    """Health tells what it raised, also of an account that was never reached."""
    return recording_failures(settings.TRADING_ACCOUNT, task, utc_now)


@cache
def _ready_context() -> TradingContext:
    """Return the context after the first comparison with the broker: a restart trusts no row."""
    ready = trading_context()
    compare(ready)
    return ready
