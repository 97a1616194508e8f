"""Filters of signals by every column that they and their contexts have.

Only symbol and time have an index. Every other column is compared by a bounded scan, which looks
the context of a signal up by its key: with a join a database could walk all contexts instead.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from django.db.models import F, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Replace
from pydantic import AfterValidator, Field, WithJsonSchema

from signals.keyset import by_key
from signals.ledger.queries import COLUMNS, Moment, SignalFilter
from signals.ledger.records import CONTEXT, MADE
from signals.ledger.validation import Label, SignalName
from signals.models import Signal
from signals.timestamps import range_end, range_start

OF_CONTEXT = (*MADE, "stored_at", *CONTEXT, "extra")
"""The columns of a context that a filter, or a list, may name."""
NULLABLE = (
    "data_source", "outcome", "exit_price", "profit_loss_pct", "order_id", "created_at",
    *OF_CONTEXT,
)  # fmt: skip
EXACT = ("asset_type", "data_source", "order_id", "sha256", "signal_id", "origin", "regime",
         "symbol_as_sent")  # fmt: skip
NUMBERS = (
    "entry_price", "target_price", "stop_price", "exit_price", "profit_loss_pct", "sources",
    "agreement", "raw_confidence", "calibration_version",
)  # fmt: skip
TIMES = ("received", "stored", "created")
Number = Annotated[float, Field(allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=0, lt=2**31)]


def _names(text: str) -> str:
    unknown = sorted(set(text.split(",")) - set(NULLABLE))
    if unknown:
        raise ValueError(f"has no {', '.join(unknown)}: it takes {', '.join(NULLABLE)}")
    return text


_listed = f"^({'|'.join(NULLABLE)})(,({'|'.join(NULLABLE)}))*$"
Names = Annotated[
    str, AfterValidator(_names), WithJsonSchema({"type": "string", "pattern": _listed})
]
"""Names of columns that may be null, separated by commas."""


class ColumnFilter(SignalFilter):
    """Selects signals by every column; a field that is left out does not limit them."""

    signal_id: SignalName | None = None
    sha256: Label | None = None
    asset_type: Label | None = Field(None, description="The sender's word for the kind")
    data_source: Label | None = None
    order_id: Label | None = None
    origin: Label | None = Field(None, description="`api`, `import`, `replay`, ...")
    regime: Label | None = None
    symbol_as_sent: Label | None = Field(None, description="The sender's spelling of the symbol")
    reasoning: Label | None = Field(None, description="A text that the reasoning contains")
    min_entry_price: Number | None = None
    max_entry_price: Number | None = None
    min_target_price: Number | None = None
    max_target_price: Number | None = None
    min_stop_price: Number | None = None
    max_stop_price: Number | None = None
    min_exit_price: Number | None = None
    max_exit_price: Number | None = None
    min_profit_loss_pct: Number | None = None
    max_profit_loss_pct: Number | None = None
    min_sources: Whole | None = None
    max_sources: Whole | None = None
    min_agreement: Number | None = None
    max_agreement: Number | None = None
    min_raw_confidence: Number | None = None
    max_raw_confidence: Number | None = None
    min_calibration_version: Whole | None = None
    max_calibration_version: Whole | None = None
    received_since: Moment | None = Field(None, description="When Argo received it")
    received_until: Moment | None = None
    stored_since: Moment | None = Field(None, description="When its row was inserted")
    stored_until: Moment | None = None
    created_since: Moment | None = Field(None, description="`created_at`, a time in UTC")
    created_until: Moment | None = None
    missing: Names | None = Field(
        None, description="Columns that are null, separated by commas: `regime,votes`"
    )
    present: Names | None = Field(None, description="Columns that are not null")

    @property
    def has_index(self) -> bool:
        own = ColumnFilter.model_fields.keys() - SignalFilter.model_fields.keys()
        return super().has_index and all(getattr(self, name) is None for name in own)

    def selected(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        chosen = super().selected(signals)
        for column, how, value in self._conditions():
            name = f"of_{column}"
            chosen = chosen.alias(**{name: _value_of(column)}).filter(**{f"{name}__{how}": value})
        return chosen

    def _conditions(self) -> Iterator[tuple[str, str, object]]:
        """Yield what each column must meet: the column, the lookup and its value."""
        for name in EXACT:
            yield from self._given(name, "exact", name)
        yield from self._given("reasoning", "icontains", "reasoning")
        for name in NUMBERS:
            yield from self._given(name, "gte", f"min_{name}")
            yield from self._given(name, "lte", f"max_{name}")
        for name in TIMES:
            yield from self._given(f"{name}_at", "gte", f"{name}_since", range_start)
            yield from self._given(f"{name}_at", "lt", f"{name}_until", range_end)
        for names, is_null in ((self.missing, True), (self.present, False)):
            yield from ((name, "isnull", is_null) for name in (names or "").split(",") if name)

    def _given(
        self, column: str, how: str, field: str, bound: Callable[[Any], object] = lambda it: it
    ) -> Iterator[tuple[str, str, object]]:
        if (value := getattr(self, field)) is not None:
            yield column, how, bound(value)


def _value_of(column: str) -> F | Replace | Subquery:
    if column == "created_at":  # the database writes it with a space
        return Replace(F(column), Value(" "), Value("T"), output_field=TextField())
    return F(column) if column in COLUMNS else by_key(Signal, f"context__{column}")
