"""The equity curve, kept day by day: what losses and drawdowns are measured against."""

from django.db import transaction

from execution.brokers.protocol import Account
from execution.desk import Desk
from execution.models import EquityDay, TradingAccount


def account_row(desk: Desk, money: Account) -> TradingAccount:
    """What Argo knows of the account; begun with what the broker says, where it is new."""
    row, _ = TradingAccount.objects.get_or_create(
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
        row = TradingAccount.objects.select_for_update().get(pk=account_row(desk, money).pk)
        if money.equity > row.peak_equity:
            row.peak_equity = money.equity
            row.save(update_fields=["peak_equity"])
        day = _day(desk, money)
        _fold(day, money, opened)
        day.save()
    return day


def latest_day(account: str) -> EquityDay | None:
    """The last day of which there is a mark."""
    return EquityDay.objects.filter(account=account).order_by("-day").first()


def _day(desk: Desk, money: Account) -> EquityDay:
    """The row of the day; a new one where the day has begun."""
    today, latest = desk.day_of(money.time), latest_day(desk.account)
    if latest is not None and today <= latest.day:
        return latest
    return EquityDay(
        account=desk.account,
        day=today,
        first_equity=money.equity,
        first_balance=money.balance,
        highest_equity=money.equity,
        highest_balance=money.balance,
        lowest_equity=money.equity,
        last_equity=money.equity,
        last_balance=money.balance,
        marked_at=money.time,
    )


def _fold(day: EquityDay, money: Account, opened: int) -> None:
    day.highest_equity = max(day.highest_equity, money.equity)
    day.highest_balance = max(day.highest_balance, money.balance)
    day.lowest_equity = min(day.lowest_equity, money.equity)
    day.last_equity, day.last_balance = money.equity, money.balance
    day.trades += opened
    day.marked_at = max(day.marked_at, money.time)
