"""The broker's money, read so that no deposit or withdrawal is taken for a profit or a loss."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from django.db import transaction

from execution.accounts import identity
from execution.accounts.equity import EquityCurve, latest_day
from execution.accounts.rows import account_row, figures
from execution.brokers.protocol import Account, BrokerError, MoneyMove, MoveKind
from execution.context import TradingContext
from execution.models import AccountChange, TradingAccount
from execution.money import ZERO
from signals.rows import insert, update

logger = logging.getLogger(__name__)

T = TypeVar("T")
OVERLAP = timedelta(days=10)
"""How far before the last mark the broker is asked again: it may report a movement late."""
TRIES = 5
BY_BROKER = "broker"


def with_money(context: TradingContext, act: Callable[[Account], T]) -> T:
    """Call `act` with the broker's money, in a transaction and with the account locked.

    Movements of money that the broker reports are counted first, so that money and base belong
    together. Halts trading if the money is another account's. Raises `BrokerError` if the broker
    fails, and what `act` raises.
    """
    for _ in range(TRIES):
        newest = AccountChange.objects.newest(context.account)
        money, moves = _read(context)
        with transaction.atomic():
            row = account_row(context, money, locked=True)
            if AccountChange.objects.newest(context.account) != newest:
                continue  # another process has moved the base since
            if identity.is_known(row, money, context.clock()):
                _count(context, row, money, moves)
            return act(money)
    raise BrokerError("the account's money is moved again and again", permanent=False)


def _read(context: TradingContext) -> tuple[Account, Sequence[MoneyMove]]:
    """Return the money, and the movements in it that are not stored yet.

    A movement that is reported after the money may be in it or not, so ask again until no other one
    came in between.
    """
    known: Sequence[MoneyMove] = ()
    for _ in range(TRIES):
        asked_at = context.clock()
        money = replace(context.broker.account(), time=asked_at)
        moves = _unknown(context)
        if {each.move_id for each in moves} == {each.move_id for each in known}:
            return money, moves
        known = moves
    raise BrokerError("the account's money is moved again and again", permanent=False)


def _unknown(context: TradingContext) -> list[MoneyMove]:
    """Return the broker's movements that are not stored yet."""
    now, latest = context.clock(), latest_day(context.account)
    since = min(now, latest.marked_at) if latest else now
    found = context.broker.moves(since - OVERLAP)
    if not found:
        return []
    stored = AccountChange.objects.filter(
        account=context.account, broker_ref__in=[each.move_id for each in found]
    )
    known = set(stored.values_list("broker_ref", flat=True))
    return [each for each in found if each.move_id not in known]


def _count(
    context: TradingContext, row: TradingAccount, money: Account, moves: Sequence[MoneyMove]
) -> None:
    """Store the movements; move the base by the transfers among them.

    Those that are found the first time are part of the balance that the account begins with.
    """
    if row.moves_read_at is None:
        update(TradingAccount, row.pk, {"moves_read_at": context.clock()})
        _store(context, moves, figures(row), figures(row), is_first=True)
    elif moves:
        before = figures(row)
        curve = EquityCurve.read(context, money)
        transfers = (each.amount for each in moves if each.kind is MoveKind.TRANSFER)
        curve.add(money, transferred=sum(transfers, ZERO))
        curve.write()
        _store(context, moves, before, figures(curve.row), is_first=False)


def _store(
    context: TradingContext,
    moves: Sequence[MoneyMove],
    before: dict[str, str],
    after: dict[str, str],
    *,
    is_first: bool,
) -> None:
    now = context.clock()
    for each in moves:
        counts = each.kind is MoveKind.TRANSFER and not is_first
        insert(AccountChange(
            account=context.account, kind=each.kind.value, amount=each.amount,
            moved=each.amount if counts else ZERO, at=each.time, made_at=now, by=BY_BROKER,
            why=each.text, broker_ref=each.move_id, before=before, after=after,
        ))  # fmt: skip
        if counts:
            logger.warning("%s: a transfer of %s moves the base of its limits: %s",
                           context.account, each.amount, each.text)  # fmt: skip
