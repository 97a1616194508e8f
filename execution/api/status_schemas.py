"""The state of execution as the API returns it."""

from datetime import datetime
from typing import Literal

from ninja import Schema


class DecisionRate(Schema):
    """The decisions made within a period. `execution_rate` is the executed share, from 0 to 1; null
    without a decision. If `at_least`, there were more: these are the newest."""

    executed: int
    skipped: int
    execution_rate: float | None
    at_least: bool


class HaltNow(Schema):
    """A halt that is in force."""

    code: str
    reason: str
    latched_at: datetime
    latched_by: str


class HaltElsewhere(HaltNow):
    """A halt that is in force on another account."""

    account: str


class ExecutionStatus(Schema):
    """The state of the account that the settings name.

    `state` is `off` if AUTO_EXECUTE is off. The counts stop at 10,000; `at_least` names those that
    did. `skipped_for` counts the reasons of the last day by their codes, `open_orders` the orders
    that may still fill by their states. `broker_error` is the broker's last error, empty if its
    last answer was good.
    """

    account: str
    broker: str
    auto_execute: bool
    state: Literal["on", "off", "halted"]
    pending: int
    at_least: list[str]
    oldest_pending_seconds: float | None
    last_hour: DecisionRate
    last_day: DecisionRate
    skipped_for: dict[str, int]
    open_orders: dict[str, int]
    unknown_orders: int
    open_positions: int
    halts: list[HaltNow]
    halts_elsewhere: list[HaltElsewhere]
    reconciled_at: datetime | None
    broker_error: str
    broker_error_at: datetime | None
    problems: list[str]
