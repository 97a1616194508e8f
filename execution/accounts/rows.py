"""The row of an account: found or created, and locked while a decision is made on it."""

from decimal import Decimal
from typing import Any

from django.conf import settings

from argo.errors import NotFound
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import TradingAccount
from execution.money import exact_text
from execution.types import REPLAY
from signals.dialect import for_update
from signals.rows import select, select_one

PAPER = "paper"
"""The account whose broker is in the database too."""
BASE = ("broker_id", "start_equity", "start_balance", "peak_equity", "base", "days_done")
_ACCOUNT = "SELECT * FROM trading_accounts WHERE name = %s"


def traded_names() -> list[str]:
    """Return the accounts that live signals are decided for, now or earlier; one may have no row.

    It is RECORD_ACCOUNTS.
    """
    known = TradingAccount.objects.exclude(name=REPLAY).order_by("pk")
    return list(dict.fromkeys([settings.TRADING_ACCOUNT, *known.values_list("name", flat=True)]))


def account_row(context: TradingContext, money: Account, *, locked: bool = False) -> TradingAccount:
    """Return the row of the context's account.

    A new account begins with the starting balance of the settings, or else with what the broker
    reports. `locked`: lock the row until the caller's transaction ends, as `lock` does.
    """
    statement = _ACCOUNT + (for_update() if locked else "")
    if there := select_one(TradingAccount, statement, [context.account]):
        return there
    rows = TradingAccount.objects.all()
    row, _ = (rows.select_for_update() if locked else rows).get_or_create(
        name=context.account, defaults=_first_figures(context, money)
    )
    return row


def _first_figures(context: TradingContext, money: Account) -> dict[str, Any]:
    stated = context.starting_balance
    start_equity = money.equity if stated is None else stated
    return {
        "broker_id": money.account_id,
        "start_equity": start_equity,
        "start_balance": money.balance if stated is None else stated,
        "peak_equity": max(money.equity, start_equity) if context.rule_set else money.equity,
        "opened_at": money.time,
        "base": TradingAccount.Base.FIRST_SEEN if stated is None else TradingAccount.Base.STATED,
        "base_at": money.time,
        "peak_at": money.time,
        "days_done": context.days_done,
    }


def figures(row: TradingAccount) -> dict[str, str]:
    """Return the base of the account as texts."""
    found = {name: getattr(row, name) for name in BASE}
    return {
        name: exact_text(each) if isinstance(each, Decimal) else str(each)
        for name, each in found.items()
    }


def lock(account: str) -> None:
    """Lock the account row until the transaction ends; no-op on SQLite, which already holds the
    write lock."""
    if locking := for_update():
        select(TradingAccount, _ACCOUNT + locking, [account])


def account_of(name: str) -> str:
    """Return the name if it is a known account. Raises `NotFound` otherwise."""
    known = {
        settings.TRADING_ACCOUNT,
        REPLAY,
        *TradingAccount.objects.values_list("name", flat=True),
    }
    if name not in known:
        raise NotFound(f"There is no account {name!r}; there are {', '.join(sorted(known))}.")
    return name


def outside_accounts() -> list[str]:
    """Return the accounts whose broker keeps records of its own, in order of their names."""
    known = {settings.TRADING_ACCOUNT, *TradingAccount.objects.values_list("name", flat=True)}
    return sorted(known - {PAPER, REPLAY})
