"""SignalTracker: logs signals, first to the journal and then to the database."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import NamedTuple

from asgiref.sync import sync_to_async

from argo.errors import ArgoError, Conflict, FieldError, InvalidInput
from signals import config, metrics
from signals.clock import Clock, utc_now
from signals.journal import Journal, JournalError
from signals.ledger.conflicts import SignalConflict, conflicts, recent_ids
from signals.ledger.durability.modes import (
    DATABASE,
    ON_THIS_MACHINE,
    Durability,
    NothingConfirmed,
    NotStoredYet,
)
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.inserts import stored_hashes
from signals.ledger.lookup import hashes_in_time, hashes_in_time_async
from signals.ledger.records import Receipt, encode

__all__ = [
    "Logged", "NotStoredYet", "NothingConfirmed", "RefusedByDatabase", "SignalConflict",
    "SignalTracker", "signal_or_error",
]  # fmt: skip

Signal = Mapping[str, object]
Wake = Callable[[int], None]
Encoder = Callable[[Signal, datetime, str], tuple[Receipt, bytes]]
"""Makes a signal's journal line, given the current time and the origin. Raises InvalidInput."""


class RefusedByDatabase(Conflict):
    """The signal is in the journal, but its row cannot be stored: it is a dead letter."""

    status = 422

    @classmethod
    def of(cls, receipt: Receipt) -> "RefusedByDatabase":
        return cls(
            f"Signal {receipt.signal_id} is a dead letter: the admin site says what is wrong."
        )


class Encoded(NamedTuple):
    """A valid signal as its journal line; `has_own_id` says that the caller gave the id."""

    receipt: Receipt
    line: bytes
    has_own_id: bool


class Logged(NamedTuple):
    """A stored signal; `new` is False if it was stored before."""

    receipt: Receipt
    new: bool


class SignalTracker:
    """Validates signals, makes them durable in the journal, and stores them in the database.

    Without arguments it uses this machine's journal and the default database, as the settings
    describe them. Constructing one is cheap: it holds no signals and starts nothing.
    """

    def __init__(
        self,
        origin: str = "python",
        clock: Clock = utc_now,
        encode: Encoder = encode,
        *,
        wakes_worker: bool = True,
    ) -> None:
        """Use the journal and the database of the settings.

        `origin` names where the signals come from. `encode` makes the journal lines; an import
        passes its own. If `wakes_worker` is False, the caller flushes: no worker is woken.
        """
        wake = config.wake_flush if wakes_worker else _wake_nobody
        durability = config.durability()
        self._use(config.journal(), config.flusher(), origin, wake, clock, encode, durability)

    @classmethod
    def with_parts(
        cls,
        journal: Journal,
        flusher: Flusher,
        *,
        origin: str,
        wake: Wake = lambda count: None,
        clock: Clock = utc_now,
        encode: Encoder = encode,
        durability: Durability = ON_THIS_MACHINE,
    ) -> "SignalTracker":
        """Return a tracker on this journal and flusher.

        `wake` is called with the number of signals that wait for a flush.
        """
        tracker = cls.__new__(cls)
        tracker._use(journal, flusher, origin, wake, clock, encode, durability)
        return tracker

    @classmethod
    def from_settings(
        cls,
        origin: str,
        clock: Clock = utc_now,
        encode: Encoder = encode,
        *,
        hints: bool = True,
    ) -> "SignalTracker":
        """Return the same as the constructor does; kept for callers that use this name."""
        return cls(origin, clock, encode, wakes_worker=hints)

    def _use(
        self,
        journal: Journal,
        flusher: Flusher,
        origin: str,
        wake: Wake,
        clock: Clock,
        encode: Encoder,
        durability: Durability,
    ) -> None:
        self._durability = durability
        self._journal = journal
        self._flusher = flusher
        self._origin = origin
        self._wake = wake
        self._clock = clock
        self._encode = encode

    def log_signal(self, signal: Signal) -> str:
        """Store one signal; return its id once the row is in the database.

        Raises InvalidInput (nothing was written), JournalError (nothing was stored),
        SignalConflict, RefusedByDatabase, or NotStoredYet (a later flush stores it).
        """
        return self.log_signals([signal])[0]

    async def log_signal_async(self, signal: Signal) -> str:
        """Log one signal; return its id once it is as durable as SIGNAL_DURABILITY says.

        With `local` it is in the journal, and a worker stores its row within moments.

        Raises InvalidInput (nothing was written; SignalConflict is one), JournalError or
        NothingConfirmed (nothing was stored), or NotStoredYet (a later flush stores it).
        """
        self._durability.ensure()
        encoded = self._encoded(signal)
        if encoded.has_own_id:
            known = await hashes_in_time_async(self._flusher.using, _own_ids([encoded]))
            self._refuse_conflicts([encoded], known)
        with self._counted(1):
            await self._journal.append_async(encoded.line)
        if encoded.has_own_id:
            self._remember([encoded])
        reached = None
        try:
            reached = await self._durability.reach_async()
        finally:
            if reached != DATABASE:
                self._wake(1)
        return encoded.receipt.signal_id

    def log_signals(self, signals: Iterable[Signal]) -> list[str]:
        """Store signals together; return their ids, in order, once the rows are in the database.

        Raises the same errors as `log_signal`; if one signal is invalid, none is written.
        """
        encoded = [self._encoded(signal) for signal in signals]
        self._refuse_conflicts(encoded, self._hashes_in_time(encoded))
        receipts = [each.receipt for each in encoded]
        metrics.synchronous(self._origin)
        stored = self._appended_and_stored(encoded)
        if len(stored) < len({receipt.signal_id for receipt in receipts}):
            # Refused, or the journal's file was removed before it was read: try once more.
            lost = [each for each in encoded if each.receipt.signal_id not in stored]
            stored |= self._appended_and_stored(lost)
        for receipt in receipts:
            if receipt.signal_id not in stored:
                raise RefusedByDatabase.of(receipt)
            if stored.get(receipt.signal_id) != receipt.sha256:
                raise SignalConflict.between(receipt, stored.get(receipt.signal_id))
        return [receipt.signal_id for receipt in receipts]

    def log_each(self, signals: Iterable[Signal | InvalidInput]) -> list[Logged | ArgoError]:
        """Store each signal independently; return a result or an error for each, in order.

        A signal that is stored already is not journaled again, nor is one whose id is stored with
        another hash: it is a SignalConflict. An item that could not be read is passed as its
        InvalidInput and returned unchanged. Raises JournalError (nothing was stored) or
        NotStoredYet.
        """
        items = self._encoded_each(signals)
        receipts = [each.receipt for each in _valid(items)]
        before = self._stored(receipts)
        items = self._without_conflicts(items, before)
        new = [each for each in _valid(items) if each.receipt.signal_id not in before]
        self._append(new)
        self._flush_all(receipts)
        after = self._stored(receipts)
        return [
            item if isinstance(item, InvalidInput) else _result(item.receipt, before, after)
            for item in items
        ]

    def accept(self, signals: Iterable[Signal]) -> list[Receipt]:
        """Write signals to the journal together, in order; a worker stores the rows.

        They are as durable as SIGNAL_DURABILITY says. Raises InvalidInput (nothing was written;
        SignalConflict is one), JournalError or NothingConfirmed (nothing was stored), or
        NotStoredYet (a later flush stores them).
        """
        self._durability.ensure()
        encoded = [self._encoded(signal) for signal in signals]
        self._refuse_conflicts(encoded, self._hashes_in_time(encoded))
        durability = self._append_durably(encoded)
        return [each.receipt._replace(durability=durability) for each in encoded]

    def accept_each(self, signals: Iterable[Signal | InvalidInput]) -> list[Receipt | InvalidInput]:
        """Write each valid signal to the journal; return a receipt or an error for each, in order.

        A worker stores the rows. An item that could not be read is passed as its InvalidInput.
        They are as durable as SIGNAL_DURABILITY says. Raises JournalError or NothingConfirmed
        (nothing was stored), or NotStoredYet (a later flush stores them).
        """
        self._durability.ensure()
        items = self._encoded_each(signals)
        items = self._without_conflicts(items, self._hashes_in_time(_valid(items)))
        durability = self._append_durably(_valid(items))
        return [
            item if isinstance(item, InvalidInput) else item.receipt._replace(durability=durability)
            for item in items
        ]

    def receipt(self, signal: Signal) -> Receipt:
        """Return the id and hash that the signal would be stored with. Raises InvalidInput."""
        return self._encoded(signal).receipt

    def is_stored(self, receipt: Receipt) -> bool:
        """Return True if the signal's row is in the database.

        Raises SignalConflict if the id is stored with another hash.
        """
        sha256 = self._stored([receipt]).get(receipt.signal_id)
        if sha256 not in (None, receipt.sha256):
            raise SignalConflict.between(receipt, sha256)
        return sha256 is not None

    def flush(self) -> FlushResult:
        """Store everything that is pending, in this process. Raises what the database raises."""
        return self._flusher.flush()

    async def flush_async(self) -> FlushResult:
        """Do the same as `flush`, from a coroutine."""
        return await sync_to_async(self.flush)()

    def close(self) -> None:
        """Store what is pending and close the journal's file; a later call opens it again."""
        self.flush()
        self._journal.close()

    def _encoded(self, signal: Signal) -> Encoded:
        try:
            receipt, line = self._encode(signal, self._clock(), self._origin)
        except InvalidInput as error:
            metrics.refused(self._origin, error.code)
            raise
        return Encoded(receipt, line, has_own_id=bool(signal.get("signal_id")))

    def _encoded_each(
        self, signals: Iterable[Signal | InvalidInput]
    ) -> list[Encoded | InvalidInput]:
        return [self._encoded_or_error(signal) for signal in signals]

    def _encoded_or_error(self, signal: Signal | InvalidInput) -> Encoded | InvalidInput:
        if isinstance(signal, InvalidInput):
            metrics.refused(self._origin, signal.code)
            return signal
        try:
            return self._encoded(signal)
        except InvalidInput as error:
            return error

    def _hashes_in_time(self, encoded: Sequence[Encoded]) -> dict[str, str]:
        return hashes_in_time(self._flusher.using, _own_ids(encoded))

    def _conflicts(
        self, encoded: Sequence[Encoded], known: Mapping[str, str]
    ) -> dict[int, SignalConflict]:
        """Return the conflicts with what is stored (`known`), was just written, or comes before."""
        if not known and not any(each.has_own_id for each in encoded):
            return {}
        recent = recent_ids(self._journal).hashes(_own_ids(encoded))
        found = conflicts([each.receipt for each in encoded], {**recent, **known})
        for conflict in found.values():
            metrics.refused(self._origin, conflict.code)
        return found

    def _refuse_conflicts(self, encoded: Sequence[Encoded], known: Mapping[str, str]) -> None:
        """Raise the first SignalConflict if there is one."""
        for conflict in self._conflicts(encoded, known).values():
            raise conflict

    def _without_conflicts(
        self, items: list[Encoded | InvalidInput], known: Mapping[str, str]
    ) -> list[Encoded | InvalidInput]:
        """Return the items with a SignalConflict in the place of each signal that is one."""
        found = self._conflicts(_valid(items), known)
        if not found:
            return items
        numbers = count()
        return [
            item if isinstance(item, InvalidInput) else found.get(next(numbers), item)
            for item in items
        ]

    def _appended_and_stored(self, encoded: Sequence[Encoded]) -> dict[str, str]:
        """Journal these and flush; return `sha256` by `signal_id` for those that are now rows."""
        receipts = [each.receipt for each in encoded]
        self._append(encoded)
        self._flush_all(receipts)
        return self._stored(receipts)

    def _append(self, encoded: Sequence[Encoded]) -> None:
        if encoded:
            with self._counted(len(encoded)):
                self._journal.append([each.line for each in encoded])
            self._remember(encoded)

    def _append_durably(self, encoded: Sequence[Encoded]) -> str | None:
        """Write to the journal, wait for what SIGNAL_DURABILITY asks, and return what it says."""
        if not encoded:
            return None
        self._append(encoded)
        reached = None
        try:
            reached = self._durability.reach()
        finally:
            if reached != DATABASE:
                self._wake(len(encoded))
        return reached

    def _remember(self, encoded: Sequence[Encoded]) -> None:
        """Keep the ids that callers gave, until a flush has stored them."""
        own = [each.receipt for each in encoded if each.has_own_id]
        if own:
            recent_ids(self._journal).add(own)

    @contextmanager
    def _counted(self, count: int) -> Iterator[None]:
        """Count signals that the block writes to the journal, as refused if it fails."""
        try:
            yield
        except JournalError:
            metrics.refused(self._origin, "journal", count)
            raise
        metrics.accepted(self._origin, count)

    def _flush_all(self, receipts: Sequence[Receipt]) -> None:
        if self._durability.needs_database:
            self._durability.confirm()
            return
        try:
            self._flusher.flush(upto=self._journal.end())
        except Exception as error:
            raise NotStoredYet(
                f"{len(receipts)} signals are safe in the journal but not in the database yet "
                f"({error}). A flush stores them once that is fixed; to send them again is safe."
            ) from error

    def _stored(self, receipts: Sequence[Receipt]) -> dict[str, str]:
        return stored_hashes(self._flusher.using, [receipt.signal_id for receipt in receipts])


def _valid(items: Iterable[Encoded | InvalidInput]) -> list[Encoded]:
    return [item for item in items if isinstance(item, Encoded)]


def _own_ids(encoded: Iterable[Encoded]) -> list[str]:
    return [each.receipt.signal_id for each in encoded if each.has_own_id]


def _wake_nobody(count: int) -> None:
    """Leave the flush to the caller."""


def signal_or_error(value: object) -> Signal | InvalidInput:
    """Return an item for `log_each` or `accept_each`; an InvalidInput if it is not an object."""
    if isinstance(value, Mapping | InvalidInput):
        return value
    return InvalidInput([FieldError("signal", "must be a JSON object")])


def _result(
    receipt: Receipt, before: Mapping[str, str], after: Mapping[str, str]
) -> Logged | ArgoError:
    if receipt.signal_id not in after:
        return RefusedByDatabase.of(receipt)
    if after.get(receipt.signal_id) != receipt.sha256:
        return SignalConflict.between(receipt, after.get(receipt.signal_id))
    return Logged(receipt, new=receipt.signal_id not in before)
