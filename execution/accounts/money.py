"""The broker's money, read so that no deposit or withdrawal is taken for a profit or a loss."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from django.db import transaction

from execution.accounts import identity
from execution.accounts.equity import EquityCurve, latest_day
from execution.accounts.rows import account_row, figures
from execution.brokers.protocol import Account, BrokerError, MoneyMove, MoveKind
from execution.context import TradingContext
from execution.models import AccountChange, EquityDay, TradingAccount
from execution.money import ZERO
from signals.rows import insert, update

logger = logging.getLogger(__name__)

T = TypeVar("T")
OVERLAP = timedelta(days=10)
"""How far before the last mark the broker is asked again: it may report a movement late."""
TRIES = 5
CORRECTED = " corrected "
"""Stands in the id of a correction, between that of the movement and a number."""
CLEAR = Decimal("0.1")
"""Profits and fees since the last mark are less than this part of a transfer, in a clear case."""
ONE_DAY = timedelta(days=1)
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
            if was_known := identity.is_known(row, money, context.clock()):
                _count(context, row, money, moves)
            found = act(money)
            if not was_known:
                _accept(context, money, moves)
            return found
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
    """Return the broker's movements that are not stored yet, and what it has corrected of others.

    A deposit that is returned may be reported as the same movement, which is undone.
    """
    now, latest = context.clock(), latest_day(context.account)
    since = min(now, latest.marked_at) if latest else now
    found = context.broker.moves(since - OVERLAP)
    stored = _stored(context.account, found)
    return [
        each._replace(
            move_id=f"{each.move_id}{CORRECTED}{len(known)}" if known else each.move_id,
            amount=each.amount - sum(known, ZERO),
        )
        for each in found
        if each.amount != sum(known := stored[each.move_id], ZERO)
    ]


def _stored(account: str, moves: Sequence[MoneyMove]) -> Mapping[str, Sequence[Decimal]]:
    """Return the stored amounts of these movements by their ids, with the corrections."""
    found: dict[str, list[Decimal]] = defaultdict(list)
    if moves:
        since = min(each.time for each in moves)
        rows = AccountChange.objects.filter(account=account, at__gte=since)
        for ref, amount in rows.values_list("broker_ref", "amount"):
            found[(ref or "").partition(CORRECTED)[0]].append(amount)
    return found


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
        late = _seen_before(curve.latest, money, moves)
        for each in late:
            if each.kind is MoveKind.TRANSFER:
                curve.add_late(each.amount, context.day_of(each.time) - ONE_DAY)
        new = [each for each in moves if each not in late and each.kind is MoveKind.TRANSFER]
        curve.transfer(sum((each.amount for each in new), ZERO))
        curve.write()
        _store(context, moves, before, figures(curve.row), is_first=False)


def _seen_before(
    latest: EquityDay | None, money: Account, moves: Sequence[MoneyMove]
) -> Sequence[MoneyMove]:
    """Return the movements whose money was in the account at the last mark already.

    A broker may report a movement after its money. The change of the balance since the last mark
    shows how many of the oldest movements it does not need. If the balance does not clearly
    show it, return nothing.
    """
    if latest is None:
        return ()
    change, moves = money.balance - latest.last_balance, sorted(moves, key=lambda each: each.time)

    def unexplained(count: int) -> Decimal:
        return abs(change - sum((each.amount for each in moves[count:]), ZERO))

    old = sum(each.time <= latest.marked_at for each in moves)
    late = moves[: min(range(old + 1), key=unexplained)]
    amount = sum((each.amount for each in late), ZERO)
    return late if unexplained(len(late)) <= abs(amount) * CLEAR else ()


def _accept(context: TradingContext, money: Account, moves: Sequence[MoneyMove]) -> None:
    """Count the movements, if a restart has just accepted the money as that of the account."""
    row = account_row(context, money, locked=True)
    if identity.is_same(row, money):
        _count(context, row, money, moves)


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
