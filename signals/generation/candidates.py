"""The candidates' table: what was proposed, what became of it, and who may make a signal of it."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet

from signals.clock import utc_now
from signals.generation.candidate import Candidate
from signals.generation.validation import EarlierSignal, Reason
from signals.generation.votes import Direction
from signals.market.bars import Bars
from signals.models import CandidateRecord, Signal
from signals.timestamps import range_end, utc_text

logger = logging.getLogger(__name__)

COLUMNS = (
    "candidate_id", "symbol", "asset_type", "strategy", "action", "bar_time", "made_at",
    "entry_price", "target_price", "stop_price", "confidence", "agreement", "regime", "reasoning",
    "votes", "rejected_for", "reasons", "signal_id", "kept_at",
)  # fmt: skip
_INSERT = (
    f"INSERT INTO candidates ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) "  # noqa: S608
    "ON CONFLICT (candidate_id) DO NOTHING"
)


class Judged(NamedTuple):
    """A candidate, the reasons to reject it (none where it passed), and the id of the signal that
    it became, where it has."""

    candidate: Candidate
    reasons: Sequence[Reason] = ()
    signal_id: str | None = None

    @property
    def candidate_id(self) -> str:
        """The same for the same strategy, symbol, side, bar and kinds of reasons."""
        candidate = self.candidate
        parts = (candidate.strategy, candidate.symbol, candidate.action, candidate.bar_time)
        digest = hashlib.sha256(orjson.dumps([*parts, self.rejected_for]))
        return digest.hexdigest()[:32]

    @property
    def rejected_for(self) -> str:
        """The reasons' words, in order; empty where it passed."""
        return " ".join(sorted(reason.code for reason in self.reasons))


def keep(judged: Sequence[Judged]) -> None:
    """Write these down; those that are there already stay as they are."""
    if judged:
        kept_at = _now()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_INSERT, [_row(each, kept_at) for each in judged])


def claim(judged: Judged) -> bool:
    """Write it down; whether it was not there, so that what follows is this caller's to do."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, _row(judged, _now()))
        return bool(cursor.rowcount == 1)


def became(candidate_id: str, signal_id: str) -> None:
    """The candidate is a durable signal now."""
    _open(candidate_id).update(signal_id=signal_id)


def signal_of(candidate_id: str) -> str | None:
    """The id of the signal that the candidate became; None where there is none yet."""
    found = CandidateRecord.objects.filter(candidate_id=candidate_id)
    return found.values_list("signal_id", flat=True).first()


def give_up(candidate_id: str, why: Reason) -> None:
    """The candidate passed, but no signal comes of it: it stands in no other's way any more."""
    _open(candidate_id).update(
        candidate_id=f"{candidate_id} {why.code} {utc_text(utc_now())}",
        rejected_for=why.code,
        reasons=[why._asdict()],
    )


def interrupted(before: datetime) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    """Candidates that passed, kept before then, whose signal was not seen to be logged.

    Yields its id, when it was kept, and the signal. Logging that twice does no harm: it is the
    same signal.
    """
    rows = CandidateRecord.objects.filter(rejected_for="", signal_id=None, kept_at__lt=before)
    for row in rows.order_by("kept_at"):
        yield row.candidate_id, row.kept_at, _signal(row)


def _open(candidate_id: str) -> QuerySet[CandidateRecord]:
    """It, as long as nothing has become of it."""
    return CandidateRecord.objects.filter(
        candidate_id=candidate_id, rejected_for="", signal_id=None
    )


def _now() -> str | None:
    return connection.ops.adapt_datetimefield_value(utc_now())


def earlier_signals(symbol: str, strategy: str, now: datetime) -> list[EarlierSignal]:
    """The newest signal of each side that the strategy gave the symbol up to now."""
    found: list[EarlierSignal] = []
    for action in (Direction.BUY, Direction.SELL):
        signals = Signal.objects.filter(symbol=symbol, strategy=strategy, action=str(action))
        times = signals.filter(timestamp__lt=range_end(now)).order_by("-timestamp", "-id")
        newest = times.values_list("timestamp", flat=True).first()
        if newest is not None and (made_at := _moment(newest)) is not None:
            found.append(EarlierSignal(action, made_at))
    return found


def stored_signals(bars: Bars, strategy: str) -> dict[tuple[Direction, datetime], str]:
    """Ids of the signals that the strategy gave these bars' symbol, by side and bar: the last one
    that had closed when the signal was made."""
    signals = Signal.objects.filter(symbol=bars.symbol, strategy=strategy)
    found: dict[tuple[Direction, datetime], str] = {}
    for action, time, signal_id in signals.values_list("action", "timestamp", "signal_id"):
        made_at = _moment(time)
        closed = bars.count_through(made_at) if made_at else 0
        if closed and action in (Direction.BUY, Direction.SELL):
            found[Direction(action), bars.time_at(closed - 1)] = signal_id
    return found


def _moment(text: str) -> datetime | None:
    """Imported signals have any text for a time: without an offset it is taken for UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        logger.warning("An earlier signal counts for nothing: its time is %r", text)
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _row(judged: Judged, kept_at: str | None) -> tuple[Any, ...]:
    signal = judged.candidate.as_signal()
    values = signal | {
        "candidate_id": judged.candidate_id,
        "bar_time": utc_text(judged.candidate.bar_time),
        "made_at": signal["timestamp"],
        "votes": orjson.dumps(signal["votes"]).decode(),
        "rejected_for": judged.rejected_for,
        "reasons": orjson.dumps([reason._asdict() for reason in judged.reasons]).decode(),
        "signal_id": judged.signal_id,
        "kept_at": kept_at,
    }
    return tuple(values[name] for name in COLUMNS)


def _signal(row: CandidateRecord) -> dict[str, Any]:
    same = (
        "symbol", "action", "entry_price", "target_price", "stop_price", "confidence", "strategy",
        "asset_type", "regime", "reasoning", "agreement", "votes",
    )  # fmt: skip
    return {name: getattr(row, name) for name in same} | {
        "data_source": row.strategy,
        "timestamp": row.made_at,
        "sources": sum(vote["direction"] is not None for vote in row.votes),
    }
