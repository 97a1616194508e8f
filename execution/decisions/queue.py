"""The queue of decisions: stored signals fill it, and one worker claims each decision."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from argo.errors import Conflict, NotFound
from execution.decisions.announcing import announce_executed, announce_skipped
from execution.models import Decision
from execution.models.decision import WAITING
from execution.risk.headroom import Headroom
from execution.types import REPLAY, Denial
from signals import acts, ahead
from signals.clock import utc_now
from signals.dialect import skip_locked
from signals.ledger.queries import row_of, signal_of
from signals.ledger.store import StoredSignal
from signals.models import Signal, SignalContext
from signals.rows import by_id, insert_missing, select, select_values, update, update_each
from signals.wakeup import WakeUp

logger = logging.getLogger(__name__)

PAST_ORIGINS = frozenset({"import", "adopted", "replay"})
"""The origins of past signals, which are not queued; `execution.replay` queues a replay's own."""
DECISION_LEASE = timedelta(minutes=2)
# The states are literals, not parameters: otherwise the partial index is not used.
_CLAIM = """
UPDATE decisions SET status = 'deciding', claim = %s, due_at = %s, account = %s
WHERE id IN (
    SELECT id FROM decisions WHERE status IN ('pending', 'deciding') AND due_at <= %s
    AND (account = 'replay') = %s {only} ORDER BY due_at, id LIMIT %s {lock}
)
RETURNING *
"""
_IS_DUE = """
SELECT id FROM decisions WHERE status IN ('pending', 'deciding') AND due_at <= %s
AND (account = 'replay') = %s LIMIT 1 {lock}
"""
_IS_ABANDONED = """
SELECT id FROM decisions WHERE status = 'deciding' AND due_at <= %s LIMIT 1
"""
_DUE_AUTOMATIC = """
SELECT * FROM decisions WHERE status IN ('pending', 'deciding') AND due_at <= %s
AND account <> 'replay' AND asked_by = ''
AND NOT EXISTS (SELECT 1 FROM signals WHERE signals.id = decisions.id AND order_id IS NOT NULL)
ORDER BY due_at, id LIMIT %s {lock}
"""


class AlreadyDecided(Conflict):
    """The signal is already traded, or a worker is deciding on it."""


class ClaimedDecision(NamedTuple):
    """A decision that only the worker `owner` may end, until its lease is over."""

    decision: Decision
    owner: str


def enqueue(stored: Sequence[StoredSignal]) -> None:
    """Queue a decision for each stored signal of a live origin; one of SIGNAL_STORED_HANDLERS."""
    ids = [signal.id for signal in stored if signal.origin not in PAST_ORIGINS]
    if ids:
        insert(ids, settings.TRADING_ACCOUNT, utc_now())
        transaction.on_commit(wake_execute)


def wake_execute() -> None:
    """Ask a worker to decide. Return at once; nothing is lost if the message is."""
    _execute_wakeup().notify()


@cache
def _execute_wakeup() -> WakeUp:
    return WakeUp("execution.tasks.execute", linger=0.05)


def insert(ids: Sequence[int], account: str, now: datetime) -> None:
    """Insert a pending decision for each of these signals that has none."""
    moment = connection.ops.adapt_datetimefield_value(now)
    values = {"account": account, "queued_at": moment, "due_at": moment, "reasons": "[]"}
    insert_missing(ids, "decisions", values)


def decision_of(signal_id: str) -> Decision:
    """Return the decision on this signal. Raises `NotFound` if it has none."""
    found = Decision.objects.select_related("signal").filter(pk=row_of(signal_id)).first()
    if found is None:
        raise NotFound(f"There is no decision on signal {signal_id}.")
    return found


def ask_for(signal_id: str, who: str, now: datetime, why: str = "") -> None:
    """Queue this signal because a person asks for it: AUTO_EXECUTE is ignored, the rules are not.

    The log of acts keeps the reason. Raises `NotFound` for an unknown signal, `AlreadyDecided` if
    it is executed or being decided on, and `Conflict` if it belongs to a replay or already has an
    outcome.
    """
    with transaction.atomic():
        signal = signal_of(signal_id)
        if why_not := _why_not_asked(signal):
            raise Conflict(f"Signal {signal_id} {why_not}.")
        insert([signal.id], settings.TRADING_ACCOUNT, now)
        status = Decision.Status
        open_ones = Decision.objects.select_for_update().exclude(account=REPLAY)
        waiting = open_ones.filter(pk=signal.id, status__in=[status.PENDING, status.SKIPPED])
        if (decision := waiting.first()) is None:
            raise AlreadyDecided(f"Signal {signal_id} is already executed, or being decided on.")
        before = str(decision.status) if decision.decided_at else ""
        _queue_again(decision, who, now)
        acts.record(
            acts.Kind.EXECUTE, f"{signal.action} {signal.symbol}", who=who, at=now,
            signal_id=signal_id, before=before, after=f"asked for on {decision.account}",
            why=why,
        )  # fmt: skip


def _queue_again(decision: Decision, who: str, now: datetime) -> None:
    """Make the decision pending again, and keep the earlier one in `earlier`."""
    if decision.decided_at:
        decision.earlier.append({
            "account": decision.account, "asked_by": decision.asked_by,
            "queued_at": decision.queued_at.isoformat(), "reasons": decision.reasons,
            "decided_at": decision.decided_at.isoformat(),
        })  # fmt: skip
    decision.status, decision.account = Decision.Status.PENDING, settings.TRADING_ACCOUNT
    decision.asked_by, decision.queued_at, decision.due_at = who, now, now
    decision.reasons, decision.skipped_for, decision.decided_at = [], "", None
    decision.save()


def _why_not_asked(signal: Signal) -> str | None:
    """Return why a person may not ask for this signal."""
    if signal.outcome is not None:
        return f"already has an outcome: {signal.outcome}"
    replayed = SignalContext.objects.filter(pk=signal.pk, origin=REPLAY).exists()
    if replayed or Decision.objects.filter(pk=signal.pk, account=REPLAY).exists():
        return "is from a replay of the past: it is traded only on the account replay"
    return None


def claim(
    account: str, owner: str, limit: int, now: datetime, only: int | None = None
) -> list[ClaimedDecision]:
    """Claim up to `limit` due decisions for one lease, oldest first.

    `only` is the primary key of the one signal whose decision is wanted.
    """
    adapt = connection.ops.adapt_datetimefield_value
    condition = "" if only is None else "AND id = %s"
    statement = _CLAIM.format(lock=skip_locked(), only=condition)
    wanted = [] if only is None else [only]
    values = [
        owner,
        adapt(now + DECISION_LEASE),
        account,
        adapt(now),
        account == REPLAY,
        *wanted,
        limit,
    ]
    with transaction.atomic():
        found = _read(statement, values)
    if not found and account != REPLAY and bring_back(now):
        return claim(account, owner, limit, now, only)
    return [
        ClaimedDecision(decision, owner) for decision in sorted(found, key=lambda each: each.pk)
    ]


def is_due(account: str, now: datetime) -> bool:
    """Return whether `claim` would claim a decision now."""
    adapt = connection.ops.adapt_datetimefield_value
    statement = _IS_DUE.format(lock=skip_locked())
    return bool(select_values(Decision, statement, [adapt(now), account == REPLAY]))


def is_abandoned(now: datetime) -> bool:
    """Return whether the lease of a decision is over: its worker may have died."""
    moment = connection.ops.adapt_datetimefield_value(now)
    return bool(select_values(Decision, _IS_ABANDONED, [moment]))


def due_automatic(limit: int, now: datetime) -> list[Decision]:
    """Return up to `limit` due decisions that nobody asked for, locked until the transaction ends.

    A signal with an `order_id` is left out: a worker that died wrote it, so `claim` must take it.
    """
    statement = _DUE_AUTOMATIC.format(lock=skip_locked())
    values = [connection.ops.adapt_datetimefield_value(now), limit]
    found = _read(statement, values)
    if not found and bring_back(now):
        return _read(statement, values)
    return found


def bring_back(now: datetime) -> int:
    """Make decisions due that a clock which was ahead has put off; return how many.

    A replay has a clock of its own: its decisions are left alone.
    """
    far = Decision.objects.filter(WAITING, due_at__gt=ahead.limit(now, DECISION_LEASE))
    far = far.exclude(account=REPLAY)
    if not far.exists():  # on SQLite even an empty update waits for every writer
        return 0
    count = far.update(due_at=now)
    logger.warning("%d decisions were put off by a clock that was ahead: due now", count)
    return count


def _read(statement: str, values: Sequence[Any]) -> list[Decision]:
    """Return the decisions that a statement selects, each with its signal."""
    found = select(Decision, statement, values)
    signals = by_id(Signal, [decision.pk for decision in found])
    for decision in found:
        decision.signal = signals[decision.pk]
    return found


def skip_each(account: str, found: Iterable[tuple[Decision, Denial]], now: datetime) -> None:
    """Skip decisions that `due_automatic` returned in this transaction, each for its reason."""
    ours, found = {"account": account, "claim": ""}, list(found)
    update_each(Decision, {decision.pk: ours | _skipped([why], now) for decision, why in found})
    for decision, _ in found:
        decision.account = account
    announce_skipped([(decision, [why]) for decision, why in found], now)


def skip_pending(signal: int, why: Denial, now: datetime) -> bool:
    """Skip the decision on this signal if no worker has claimed it; return whether it is skipped.

    `signal` is the signal's primary key.
    """
    changes = _skipped([why], now)
    return update(Decision, signal, changes, only_if={"status": Decision.Status.PENDING})


def mark_skipped(claimed: ClaimedDecision, why: Sequence[Denial], now: datetime) -> bool:
    """Skip the signal for all these reasons; return False if another worker has the decision.

    It runs in the caller's transaction.
    """
    if not _end(claimed, **_skipped(why, now)):
        return False
    announce_skipped([(claimed.decision, why)], now)
    return True


def _skipped(why: Sequence[Denial], now: datetime) -> dict[str, object]:
    return {
        "status": Decision.Status.SKIPPED,
        "skipped_for": " ".join(denial.code for denial in why),
        "reasons": [denial._asdict() for denial in why],
        "decided_at": now,
    }


def mark_executed(
    claimed: ClaimedDecision, order_id: str, now: datetime, left: Sequence[Headroom] = ()
) -> bool:
    """Store the order of the signal, and how far the account was from each limit.

    It runs in the caller's transaction. Return False if another worker has the decision.
    """
    numbers = [{"code": each.code, "text": each.text} for each in left]
    is_ours = _end(
        claimed, status=Decision.Status.EXECUTED, order_id=order_id, decided_at=now,
        headroom=numbers,
    )  # fmt: skip
    if is_ours:
        announce_executed(claimed.decision, order_id, now)
    return is_ours


def postpone(claimed: ClaimedDecision, until: datetime) -> bool:
    """Decide at `until` or later; return False if another worker has the decision."""
    return _end(claimed, status=Decision.Status.PENDING, due_at=until)


def _end(claimed: ClaimedDecision, **changes: object) -> bool:
    held = {"status": Decision.Status.DECIDING, "claim": claimed.owner}
    return update(Decision, claimed.decision.pk, {"claim": "", **changes}, only_if=held)
