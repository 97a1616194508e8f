"""Makes sure that the broker's account is the one that Argo's rows are about."""

from datetime import datetime

from execution.accounts import halts
from execution.brokers.protocol import Account
from execution.models import TradingAccount
from execution.types import HaltCode
from signals.rows import update


def is_same(row: TradingAccount, money: Account) -> bool:
    """Return whether the money is that of the row's account; a broker may have no ids."""
    return not money.account_id or money.account_id == row.broker_id


def is_known(row: TradingAccount, money: Account, now: datetime) -> bool:
    """Return whether the money is that of the row's account; halt trading if it is not.

    Peak, day and starting balance of one account mean nothing for another one. The broker's id is
    stored the first time that it is read. Call it in a transaction that has locked the row.
    """
    if is_same(row, money):
        return True
    if not row.broker_id:
        update(TradingAccount, row.pk, {"broker_id": money.account_id})
        row.broker_id = money.account_id
        return True
    why = (
        f"the broker's account is {money.account_id}, but {row.name} was {row.broker_id}. Correct "
        "the keys; if the new account is meant, run account --restart-count and then resume"
    )
    halts.latch(row.name, HaltCode.ANOTHER_ACCOUNT, why, now)
    return False
