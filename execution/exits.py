"""Ends what is traded for a signal because its sender says so; SIGNAL_EXIT_HANDLERS names it."""

from functools import cache

from execution.decisions.queue import skip_pending
from execution.factory import trading_context
from execution.models import Decision, Order, Position
from execution.monitoring import monitor
from execution.types import AT_BROKER, REPLAY, Denial, ExitReason, Leg, OrderState, Reason
from signals.alerts.exits import Ending
from signals.clock import utc_now
from signals.wakeup import WakeUp


def end_signal(signal: int, why: str) -> Ending:
    """Close the signal's position, cancel its entry, or skip its decision.

    `signal` is its primary key. Raises `BrokerError` if the broker must cancel an entry and fails;
    to call it again changes nothing that is done.
    """
    if (position := Position.objects.of_signal(signal)) is not None:
        return _close(position)
    entries = [order for order in Order.objects.of_signal(signal) if order.leg == Leg.ENTRY]
    live = [order for order in entries if not OrderState(order.state).is_final]
    if live:
        return _cancel(live, why)
    return _skip(signal, why)


def _close(position: Position) -> Ending:
    if position.status == Position.Status.OPEN and position.account != REPLAY:
        monitor.ask_to_close(position, ExitReason.ALERT)
        _monitor_wakeup().notify()
    return Ending.CLOSING


def _cancel(entries: list[Order], why: str) -> Ending:
    """Cancel entries that wait at the broker. What they have filled is closed the next time."""
    context = trading_context()
    for entry in entries:
        if entry.state in AT_BROKER and entry.account == context.account:
            monitor.cancel(context, entry, why)
    return Ending.BUSY


def _skip(signal: int, why: str) -> Ending:
    """Skip a decision that is still due; one that a worker makes now is waited for."""
    decision = Decision.objects.filter(pk=signal).first()
    if decision is None or decision.status == Decision.Status.SKIPPED:
        return Ending.FREE
    if decision.status == Decision.Status.EXECUTED:
        return Ending.FREE  # its order ended without a fill
    is_skipped = skip_pending(signal, Denial(Reason.ENDED, f"it was ended: {why}"), utc_now())
    return Ending.FREE if is_skipped else Ending.BUSY


@cache
def _monitor_wakeup() -> WakeUp:
    return WakeUp("execution.tasks.monitor", linger=0.05)
