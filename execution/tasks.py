"""Celery tasks of execution. A message is a hint; losing or repeating it harms nothing."""

from functools import cache

from celery import shared_task

from execution.deciding import execute_due
from execution.desk import Desk
from execution.monitor import monitor as look
from execution.reconciling import reconcile as compare
from execution.sending import send_due
from execution.wiring import desk


@shared_task(name="execution.tasks.execute")
def execute() -> int:
    """Decide on what waits for it, and send what is on its way; answers how many were executed."""
    at = _ready_desk()
    send_due(at)
    return execute_due(at).executed


@shared_task(name="execution.tasks.monitor")
def monitor() -> int:
    """Follow the trades; answers how many orders were filled."""
    return look(_ready_desk()).filled


@shared_task(name="execution.tasks.reconcile")
def reconcile() -> int:
    """Compare our books with the broker's; answers how many differences there are."""
    return len(compare(desk()))


@cache
def _ready_desk() -> Desk:
    """The desk, once this process has compared books with the broker: a restart trusts no row."""
    ready = desk()
    compare(ready)
    return ready
