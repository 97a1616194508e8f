"""Changes of the base that a person states: transfers on paper, starting balance, stage, restart.

Each is a row with its reason. None of them is a profit or a loss.
"""

import logging
from collections.abc import Mapping
from decimal import Decimal

from argo.errors import FieldError, InvalidInput
from execution.accounts.equity import EquityCurve, highest, latest_day
from execution.accounts.halts import checked
from execution.accounts.identity import is_same
from execution.accounts.money import with_money
from execution.accounts.rows import account_row, figures
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import AccountChange, EquityDay, TradingAccount
from execution.money import ZERO, exact_text
from execution.prop_firm.days import Day
from signals import acts
from signals.rows import insert, update

logger = logging.getLogger(__name__)

Kind = AccountChange.Kind


def transfer(context: TradingContext, amount: Decimal, *, by: str, why: str) -> AccountChange:
    """Move play money into the account, or out of it if `amount` is below 0.

    Raises `InvalidInput` for an amount of 0 or without a reason, and `BrokerError` if the broker's
    money is moved elsewhere or so much is not free.
    """
    why = checked(why, "say why the money is moved")
    if not amount:
        raise InvalidInput([FieldError("transfer", "must not be 0")])

    def act(money: Account) -> AccountChange:
        before = figures(account_row(context, money))
        context.broker.transfer(amount)
        curve = EquityCurve.read(context, money)
        curve.transfer(amount)
        curve.write()
        return _stored(context, Kind.TRANSFER, amount, curve.row, before, by, why, moved=amount)

    return with_money(context, act)


def state_starting_balance(
    context: TradingContext, amount: Decimal, *, days_done: int | None = None, by: str, why: str
) -> AccountChange:
    """State the balance that the account, or the present stage of its prop firm, began with.

    `days_done` are the stage's days before Argo saw it; None leaves them. Raises `InvalidInput`.
    """
    why = checked(why, "say where the starting balance comes from")

    def act(money: Account) -> AccountChange:
        row = account_row(context, money, locked=True)
        before = figures(row)
        _set(row, {
            "start_equity": amount, "start_balance": amount, "base": TradingAccount.Base.STATED,
            "peak_equity": max(amount, money.equity, *highest(row)),
            "days_done": row.days_done if days_done is None else days_done,
        })  # fmt: skip
        return _stored(context, Kind.STARTING_BALANCE, amount, row, before, by, why)

    return with_money(context, act)


def begin_stage(
    context: TradingContext,
    amount: Decimal | None = None,
    *,
    days_done: int = 0,
    by: str,
    why: str,
) -> AccountChange:
    """Begin a new stage of the prop firm: peak, day and days are counted from now.

    `amount` is its starting balance; None: the present balance. Raises `InvalidInput`.
    """
    why = checked(why, "say which stage begins")
    return _begin(context, Kind.STAGE, amount, days_done, by, why)


def restart_count(context: TradingContext, *, by: str, why: str) -> AccountChange:
    """Count everything from the present equity on, of the account that the broker has now.

    The loss of open positions is part of what is accepted. Halts stay until a person lifts them.
    Raises `InvalidInput` without a reason.
    """
    why = checked(why, "say why the count begins anew")
    return _begin(context, Kind.RESTART, None, 0, by, why)


def _begin(
    context: TradingContext, kind: Kind, amount: Decimal | None, days_done: int, by: str, why: str
) -> AccountChange:
    def act(money: Account) -> AccountChange:
        row = account_row(context, money, locked=True)
        before, day = figures(row), _begun_day(context, money)
        start_equity = money.equity if amount is None else amount
        present = money.equity if kind is Kind.RESTART else money.balance
        _set(row, {
            "broker_id": money.account_id or row.broker_id,
            "start_equity": start_equity,
            "start_balance": present if amount is None else amount,
            "peak_equity": max(money.equity, start_equity), "peak_at": money.time,
            "base": TradingAccount.Base(kind.value), "base_at": money.time,
            "counted_from": day.day, "days_done": days_done,
            "moves_read_at": row.moves_read_at if is_same(row, money) else None,
        })  # fmt: skip
        return _stored(context, kind, row.start_balance, row, before, by, why)

    return with_money(context, act)


def _begun_day(context: TradingContext, money: Account) -> EquityDay:
    """Let the present day begin now, with the present money; return its row."""
    latest, today = latest_day(context.account), context.day_of(money.time)
    day = max(today, latest.day) if latest else today  # the clock may have been ahead
    equity, balance = money.equity, money.balance
    figures = Day(day, equity, balance, equity, balance, equity, equity, balance, 0)
    if latest is None or latest.day < day:
        row = EquityDay(account=context.account, marked_at=money.time, began_at=money.time,
                        transferred=ZERO, **figures._asdict())  # fmt: skip
        insert(row)
        return row
    times = {"began_at": money.time, "marked_at": money.time}
    update(EquityDay, latest.pk, figures._asdict() | times)
    return latest


def _set(row: TradingAccount, values: Mapping[str, object]) -> None:
    update(TradingAccount, row.pk, values)
    for name, value in values.items():
        setattr(row, name, value)


def _stored(
    context: TradingContext,
    kind: Kind,
    amount: Decimal,
    row: TradingAccount,
    before: dict[str, str],
    by: str,
    why: str,
    *,
    moved: Decimal = ZERO,
) -> AccountChange:
    now = context.clock()
    change = AccountChange(
        account=context.account, kind=kind, amount=amount, moved=moved, at=now, made_at=now, by=by,
        why=why, before=before, after=figures(row),
    )  # fmt: skip
    insert(change)
    acts.record(
        acts.Kind.ACCOUNT, f"{kind.label} of {exact_text(amount)} on {context.account}", who=by,
        at=now, why=why, before=_words(before), after=_words(change.after),
    )  # fmt: skip
    logger.warning("%s changes the base of %s (%s, %s): %s",
                   by, context.account, kind.label, exact_text(amount), why)  # fmt: skip
    return change


def _words(base: Mapping[str, str]) -> str:
    """Return the money that the account counts from, for people."""
    return f"counts from {base['start_balance']}, peak {base['peak_equity']}"
