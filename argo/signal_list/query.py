"""What the list of signals and its export may be asked for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Concat
from pydantic import Field

from execution.analysis.selection import ReasonCode
from signals.keyset import by_key
from signals.ledger.column_filter import ColumnFilter
from signals.ledger.pages import PageQuery
from signals.ledger.queries import PATHS
from signals.ledger.validation import Label
from signals.models import Signal
from signals.retrieval.selection import Row, Selection

NONE = "none"
OF_OTHERS = {
    "decision": "decision__status",
    "account": "decision__account",
    "skipped_for": "decision__skipped_for",
    "delivery": "delivery__status",
}
"""Fields that other apps have, and where Django finds them."""


class ListFilter(ColumnFilter):
    """Selects signals by every column, and by their decisions and deliveries."""

    decision: Literal["pending", "deciding", "executed", "skipped", "none"] | None = None
    reason: ReasonCode | None = Field(None, description="The code of a reason for skipping")
    account: Label | None = Field(None, description="The account of the decision")
    delivery: Literal["pending", "sending", "delivered", "dead", "none"] | None = None

    @property
    def has_index(self) -> bool:
        own = (self.decision, self.reason, self.account, self.delivery)
        return super().has_index and own == (None,) * len(own)

    def selected(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        chosen = super().selected(signals)
        for name, how, value in self._conditions_of_others():
            chosen = chosen.alias(**{f"of_{name}": _value_of(name)})
            chosen = chosen.filter(**{f"of_{name}__{how}": value})
        return chosen

    def _conditions_of_others(self) -> Iterator[tuple[str, str, object]]:
        for name in ("decision", "account", "delivery"):
            value = getattr(self, name)
            if value == NONE and name != "account":
                yield name, "isnull", True
            elif value is not None:
                yield name, "exact", value
        if self.reason is not None:
            yield "skipped_for", "contains", f" {self.reason} "


class ListQuery(ListFilter, PageQuery):
    """Selects one page of the list; `fields` may also name those of decision and delivery."""

    known_fields: ClassVar[Mapping[str, str]] = PATHS | OF_OTHERS


class ExportQuery(ListFilter):
    """Selects the signals of an export, its columns and its format."""

    fields_: str | None = Field(
        None, alias="fields", description="Names of columns, separated by commas; without it all"
    )
    format: Literal["csv", "jsonl", "parquet"] = "csv"
    as_of: ClassVar[None] = None

    def complete(self, rows: Sequence[Row]) -> list[Row]:
        """Give each row its `outcome_at`; leave out those that ended otherwise meanwhile."""
        return Selection(outcome=self.outcome).complete(rows)


def _value_of(name: str) -> Any:  # noqa: ANN401  # an expression
    found = by_key(Signal, OF_OTHERS[name])
    if name != "skipped_for":
        return found
    space = Value(" ", output_field=TextField())
    return Concat(space, found, space)
