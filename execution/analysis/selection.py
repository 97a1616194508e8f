"""Selects signals by the decisions on them too, as they are now or as they were at a moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from pydantic import AfterValidator, Field

from execution.models import Decision
from execution.models.decision import skipped_for
from execution.types import Reason
from signals.ledger.validation import Label
from signals.models import Signal
from signals.retrieval.selection import Row, Selection, among
from signals.timestamps import moment_of

NO_DECISION: Row = dict.fromkeys(
    ("decision", "account", "asked_by", "queued_at", "decided_at", "skipped_for", "reasons")
)
_COLUMNS = ("pk", "status", "account", "asked_by", "queued_at", "decided_at", "reasons", "earlier")


def _reason(code: str) -> str:
    if code not in set(Reason):
        raise ValueError(f"must be one of {', '.join(Reason)}")
    return code


ReasonCode = Annotated[str, AfterValidator(_reason)]


class DecidedSelection(Selection):
    """Selects signals by their decisions too.

    With `as_of` a decision is the one that stood then: a signal that was queued and not decided yet
    is `pending`, even if a worker had it.
    """

    decision: Literal["pending", "deciding", "executed", "skipped"] | None = None
    reason: ReasonCode | None = Field(None, description="The code of a reason for skipping")
    account: Label | None = None

    def apply(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        """Return those of `signals` that pass; `complete` may still leave some of them out."""
        chosen = super().apply(signals)
        if not self._asks_for_decision():
            return chosen
        decisions = Decision.objects.all()
        if self.as_of is None:  # `complete` compares the decision of an earlier moment
            decisions = self._decided(decisions)
        return chosen.filter(pk__in=decisions.values("pk"))

    def complete(self, rows: Sequence[Row]) -> list[Row]:
        """Give each row its decision too, and return those that still pass."""
        found = super().complete(rows)
        decisions = _decisions([row["id"] for row in found], self.as_of) if found else {}
        for row in found:
            row.update(decisions.get(row["id"], NO_DECISION))
        return list(filter(self._is_decided, found))

    def _asks_for_decision(self) -> bool:
        return (self.decision, self.reason, self.account) != (None, None, None)

    def _decided(self, decisions: QuerySet[Decision]) -> QuerySet[Decision]:
        if self.decision is not None:
            decisions = decisions.filter(status=self.decision)
        if self.account is not None:
            decisions = decisions.filter(account=self.account)
        return decisions if self.reason is None else skipped_for(decisions, self.reason)

    def _is_decided(self, row: Row) -> bool:
        return (
            self.decision in (None, row["decision"])
            and self.account in (None, row["account"])
            and (self.reason is None or self.reason in (row["skipped_for"] or "").split())
        )


def _decisions(ids: Sequence[int], as_of: datetime | None) -> dict[int, Row]:
    """Return the columns of the decision on each signal that has one."""
    rows = Decision.objects.filter(among("pk", ids)).values(*_COLUMNS)
    each = ((row["pk"], row if as_of is None else _at(row, as_of)) for row in rows)
    return {signal: _columns(row) for signal, row in each if row is not None}


def _at(decision: dict[str, Any], moment: datetime) -> dict[str, Any] | None:
    """Return the decision that stood at this moment; None if the signal was not queued yet."""
    earlier = [_earlier(each) for each in decision["earlier"]]
    made = [each for each in (*earlier, decision) if each["queued_at"] <= moment]
    if not made:
        return None
    last = made[-1]
    is_decided = last["decided_at"] is not None and last["decided_at"] <= moment
    return last if is_decided else last | {"status": "pending", "decided_at": None, "reasons": []}


def _earlier(kept: dict[str, Any]) -> dict[str, Any]:
    """Return an earlier decision, which skipped the signal, in the form of the present one."""
    times = {name: moment_of(kept[name]) for name in ("queued_at", "decided_at")}
    return {**kept, **times, "status": Decision.Status.SKIPPED.value}


def _columns(decision: dict[str, Any]) -> Row:
    codes = " ".join(reason["code"] for reason in decision["reasons"])
    kept = {name: decision[name] for name in NO_DECISION if name in decision}
    return kept | {"decision": decision["status"], "skipped_for": codes or None}
