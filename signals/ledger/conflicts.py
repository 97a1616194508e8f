"""Finds signals whose id belongs to another signal, before they are written to the journal.

Only an id that a caller brings is looked up: one that is made from the content names that content.
A database that does not answer in time delays nobody: then a conflict becomes a dead letter.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

from argo.errors import Conflict, FieldError, InvalidInput
from signals.journal import Journal
from signals.ledger.records import Receipt

RECENT = 10_000
"""The ids that are kept of what this process has just journaled."""
RECENT_SECONDS = 60.0


class SignalConflict(InvalidInput, Conflict):
    """The same `signal_id` is stored, or was just accepted, with another hash."""

    status = 422  # not 409, which means to a sender that this same signal is stored
    exit_code = 1
    code = "conflict"

    @classmethod
    def between(cls, receipt: Receipt, stored: str | None) -> "SignalConflict":
        return cls([
            FieldError(
                "signal_id",
                f"{receipt.signal_id} is stored with the hash {stored}, not {receipt.sha256}. "
                "That signal was not changed; give the other one a different id",
            )
        ])  # fmt: skip


class RecentIds:
    """The ids that this process has journaled within the last minute, for a flush may take one."""

    def __init__(self) -> None:
        self._hashes: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def add(self, receipts: Iterable[Receipt]) -> None:
        """Remember these ids."""
        now = time.monotonic()
        for receipt in receipts:
            self._hashes.setdefault(receipt.signal_id, (receipt.sha256, now))
        while len(self._hashes) > RECENT:
            self._hashes.popitem(last=False)

    def hashes(self, signal_ids: Iterable[str]) -> dict[str, str]:
        """Return the hashes of those of these ids that are remembered."""
        since = time.monotonic() - RECENT_SECONDS
        found = {each: self._hashes.get(each) for each in signal_ids}
        return {each: kept[0] for each, kept in found.items() if kept and kept[1] >= since}


_recent: WeakKeyDictionary[Journal, RecentIds] = WeakKeyDictionary()


def recent_ids(journal: Journal) -> RecentIds:
    """Return the ids that this process has just written to the journal."""
    return _recent.setdefault(journal, RecentIds())


def conflicts(receipts: Iterable[Receipt], known: Mapping[str, str]) -> dict[int, SignalConflict]:
    """Return the conflicts by the place of their receipt.

    `known` has the hash of each id that is taken; of two receipts with one id, the first counts.
    """
    taken, found = dict(known), {}
    for place, receipt in enumerate(receipts):
        there = taken.setdefault(receipt.signal_id, receipt.sha256)
        if there != receipt.sha256:
            found[place] = SignalConflict.between(receipt, there)
    return found
