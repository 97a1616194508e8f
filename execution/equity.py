"""The equity curve, kept day by day: what losses and drawdowns are measured against."""

from django.db import transaction

from execution.brokers.protocol import Account
from execution.desk import Desk
from execution.models import EquityDay, TradingAccount
from execution.prop_firm.days import Day, record


def account_row(desk: Desk, money: Account, *, locked: bool = False) -> TradingAccount:
    """What Argo knows of the account; begun with what the broker says, where it is new.

    `locked`: nobody else's until the caller's transaction ends.
    """
    rows = TradingAccount.objects.all()
    row, _ = (rows.select_for_update() if locked else rows).get_or_create(
        name=desk.account,
        defaults={
            "start_equity": money.equity,
            "start_balance": money.balance,
            "peak_equity": money.equity,
            "opened_at": money.time,
        },
    )
    return row


def mark(desk: Desk, money: Account, opened: int = 0) -> EquityDay:
    """Fold what the account is worth now into its day, and into the peak.

    `opened` is how many positions were opened since the last mark. A clock that went back opens no
    earlier day again: such a mark counts for the latest day.
    """
    with transaction.atomic():
        row = account_row(desk, money, locked=True)
        if money.equity > row.peak_equity:
            row.peak_equity = money.equity
            row.save(update_fields=["peak_equity"])
        day = _marked(desk, money, opened)
        day.save(force_insert=day._state.adding)
    return day


def latest_day(account: str) -> EquityDay | None:
    """The last day of which there is a mark."""
    return EquityDay.objects.filter(account=account).order_by("-day").first()


def as_day(row: EquityDay) -> Day:
    """As the rules of a firm take it."""
    return Day(*(getattr(row, name) for name in Day._fields))


def _marked(desk: Desk, money: Account, opened: int) -> EquityDay:
    """The day's row with this mark in it; a new row where the day has begun."""
    latest = latest_day(desk.account)
    known = [as_day(latest)] if latest else []
    day = record(known, desk.day_of(money.time), money.equity, money.balance, opened)
    if latest is None or latest.day != day.day:
        return EquityDay(account=desk.account, marked_at=money.time, **day._asdict())
    for name, value in day._asdict().items():
        setattr(latest, name, value)
    latest.marked_at = max(latest.marked_at, money.time)
    return latest
