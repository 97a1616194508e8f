"""The table of candidates: each proposal, its result, and the claim to make a signal of it."""

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
from signals.ledger.instants import newest
from signals.ledger.records import CALIBRATED
from signals.ledger.spellings import spellings_of
from signals.market.bars import Bars
from signals.models import CandidateRecord, Signal
from signals.timestamps import utc_text

logger = logging.getLogger(__name__)

COLUMNS = (
    "candidate_id", "symbol", "asset_type", "strategy", "action", "bar_time", "made_at",
    "entry_price", "target_price", "stop_price", "confidence", *CALIBRATED, "agreement", "regime",
    "reasoning", "votes", "rejected_for", "reasons", "signal_id", "kept_at",
)  # fmt: skip
_INSERT = (
    f"INSERT INTO candidates ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) "  # noqa: S608
    "ON CONFLICT (candidate_id) DO NOTHING"
)


class Judged(NamedTuple):
    """A candidate after validation.

    `reasons` are the reasons to reject it, empty if it passed. `signal_id` is the id of its
    signal, None before there is one.
    """

    candidate: Candidate
    reasons: Sequence[Reason] = ()
    signal_id: str | None = None

    @property
    def candidate_id(self) -> str:
        """Return an id made of the strategy, symbol, side, bar and reason codes."""
        candidate = self.candidate
        parts = (candidate.strategy, candidate.symbol, candidate.action, candidate.bar_time)
        digest = hashlib.sha256(orjson.dumps([*parts, self.rejected_for]))
        return digest.hexdigest()[:32]

    @property
    def rejected_for(self) -> str:
        """Return the reason codes, sorted and separated by spaces; empty if it passed."""
        return " ".join(sorted(reason.code for reason in self.reasons))


def keep(judged: Sequence[Judged]) -> None:
    """Store these candidates; those that are already stored stay unchanged."""
    if judged:
        kept_at = _now()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_INSERT, [_row(each, kept_at) for each in judged])


def claim(judged: Judged) -> bool:
    """Store the candidate; return True if it was new, so that this caller makes its signal."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, _row(judged, _now()))
        return bool(cursor.rowcount == 1)


def set_signal(candidate_id: str, signal_id: str) -> None:
    """Record that the candidate is now a durable signal."""
    _pending(candidate_id).update(signal_id=signal_id)


def signal_of(candidate_id: str) -> str | None:
    """Return the id of the candidate's signal; None before it has one."""
    found = CandidateRecord.objects.filter(candidate_id=candidate_id)
    return found.values_list("signal_id", flat=True).first()


def give_up(candidate_id: str, why: Reason) -> None:
    """Reject a candidate that passed but gets no signal; its id is free for a new candidate."""
    _pending(candidate_id).update(
        candidate_id=f"{candidate_id} {why.code} {utc_text(utc_now())}",
        rejected_for=why.code,
        reasons=[why._asdict()],
    )


def interrupted(before: datetime) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    """Yield the candidates that passed and were stored before `before`, but have no signal id.

    Each is its id, the time it was stored, and its signal. Logging that signal twice does no
    harm: it has the same id.
    """
    rows = CandidateRecord.objects.filter(rejected_for="", signal_id=None, kept_at__lt=before)
    for row in rows.order_by("kept_at"):
        yield row.candidate_id, row.kept_at, _signal(row)


def _pending(candidate_id: str) -> QuerySet[CandidateRecord]:
    """Return the candidate if it passed and has no signal yet."""
    return CandidateRecord.objects.filter(
        candidate_id=candidate_id, rejected_for="", signal_id=None
    )


def _now() -> str | None:
    return connection.ops.adapt_datetimefield_value(utc_now())


def earlier_signals(symbol: str, strategy: str, now: datetime) -> list[EarlierSignal]:
    """Return the strategy's newest signal of each side for the instrument, up to `now`."""
    found: list[EarlierSignal] = []
    spelled = spellings_of(symbol)
    for action in (Direction.BUY, Direction.SELL):
        signals = spelled.of(Signal.objects.filter(strategy=strategy, action=str(action)))
        places = newest(signals, 1, until=now)
        if places and (made_at := _moment(places[0].at)) is not None:
            found.append(EarlierSignal(action, made_at))
    return found


def stored_signals(bars: Bars, strategy: str) -> dict[tuple[Direction, datetime], str]:
    """Return the ids of the strategy's stored signals of these bars' symbol, by side and bar.

    A signal's bar is the last one that had closed when the signal was made.
    """
    signals = spellings_of(bars.symbol).of(Signal.objects.filter(strategy=strategy))
    found: dict[tuple[Direction, datetime], str] = {}
    for action, time, signal_id in signals.values_list("action", "timestamp", "signal_id"):
        made_at = _moment(time)
        closed = bars.count_through(made_at) if made_at else 0
        if closed and action in (Direction.BUY, Direction.SELL):
            found[Direction(action), bars.time_at(closed - 1)] = signal_id
    return found


def _moment(text: str) -> datetime | None:
    """Parse the time of a signal, which may be any text if it was imported; UTC by default."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        logger.warning("An earlier signal is ignored: its time is invalid: %r", text)
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _row(judged: Judged, kept_at: str | None) -> tuple[Any, ...]:
    signal = judged.candidate.as_signal()
    values = {
        **dict.fromkeys(CALIBRATED),
        **signal,
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
    columns = (
        "symbol", "action", "entry_price", "target_price", "stop_price", "confidence", "strategy",
        "asset_type", "regime", "reasoning", "agreement", "votes",
    )  # fmt: skip
    calibrated = CALIBRATED if row.raw_confidence is not None else ()
    return {name: getattr(row, name) for name in (*columns, *calibrated)} | {
        "data_source": row.strategy,
        "timestamp": row.made_at,
        "sources": sum(vote["direction"] is not None for vote in row.votes),
    }
