"""The reasons to skip a signal that need neither the broker nor a risk rule."""

from datetime import datetime

from execution.context import TradingContext
from execution.models import Decision
from execution.types import Denial, Reason
from signals.models import Signal
from signals.timestamps import parse_utc

OFF = Denial(
    Reason.AUTO_EXECUTE_DISABLED,
    "AUTO_EXECUTE is off: a signal is traded only if somebody asks for it",
)


def precheck(context: TradingContext, decision: Decision, now: datetime) -> Denial | None:
    """Return why the signal is skipped without asking the broker; None if the rules decide."""
    if context.is_behind():
        return Denial(Reason.TRADED_LATER, f"the account {context.account} has already traded until"
                      f" {context.traded_until:%Y-%m-%d %H:%M} UTC, and only trades forward in "
                      "time: replay the earlier time in a data folder of its own")  # fmt: skip
    if not (context.auto_execute or decision.asked_by):
        return OFF
    if decision.signal.outcome is not None:
        return Denial(Reason.ENDED, f"the signal already has an outcome: {decision.signal.outcome}")
    return stale_reason(context, decision.signal, now)


def stale_reason(context: TradingContext, signal: Signal, now: datetime) -> Denial | None:
    """Return why the signal is too old to be traded, or lies in the future; None if it is fresh."""
    try:
        age = now - parse_utc(signal.timestamp)
    except ValueError as error:
        return Denial(Reason.STALE, f"the signal's time is not valid: {error}")
    if abs(age) <= context.max_age:
        return None
    return Denial(Reason.STALE, f"the signal is {age.total_seconds():.0f} s old; the limit is "
                  f"{context.max_age.total_seconds():.0f} s")  # fmt: skip
