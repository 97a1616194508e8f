"""The answers about accounts."""

from datetime import date, datetime

from ninja import Schema

from execution.api.item_schemas import Money


class DayOut(Schema):
    """The account's money on its latest day, as it was last seen at `marked_at`."""

    day: date
    last_equity: Money
    last_balance: Money
    marked_at: datetime


class AccountOut(Schema):
    """An account, and what its limits are counted from: `start_balance` and `peak_equity`.

    `base` says where the starting balance comes from, and `base_at` since when it counts.
    `is_current`: the settings name it. `latest` is null until its money was seen.
    """

    name: str
    is_current: bool
    broker_id: str
    state: str
    halts: list[str]
    open_positions: int
    open_orders: int
    start_equity: Money
    start_balance: Money
    peak_equity: Money
    peak_at: datetime | None
    base: str
    base_at: datetime | None
    counted_from: date | None
    days_done: int
    opened_at: datetime
    reconciled_at: datetime | None
    latest: DayOut | None


class AccountChangeOut(Schema):
    """A deposit, a withdrawal, or another change of the base: why, by whom, and by how much."""

    kind: str
    amount: Money
    moved: Money
    at: datetime
    made_at: datetime
    by: str
    why: str
    broker_ref: str | None
    before: dict[str, str]
    after: dict[str, str]


class AccountDetail(AccountOut):
    """An account with its latest changes."""

    changes: list[AccountChangeOut]
