"""Exports of the rows that are selected in a list: CSV, JSON lines or Parquet.

The modules of tables are imported on demand, because they load pyarrow.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
from django.contrib import admin, messages
from django.db import models
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse

from signals.models import Signal

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 1000
"""Rows of one export; `/api/analysis/signals` streams as many as there are."""
LABELS = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "Parquet"}
OF_SIGNAL = {"signal_id": "signal__signal_id", "symbol": "signal__symbol"}
"""Columns that rows beside a signal get, so that they can be joined with it."""
Table = tuple[Iterable["pa.RecordBatch"], "pa.Schema"]
Export = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


def _export(name: str, label: str) -> Export:
    @admin.action(description=f"Export as {label}", permissions=["view"])
    def export(model_admin: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:  # noqa: ANN401
        keys = list(rows.order_by().values_list("pk", flat=True)[: MOST + 1])
        if len(keys) > MOST:
            messages.error(request, f"Choose at most {MOST} rows at a time.")
            return None
        return exported(rows.model, sorted(keys), name)

    export.__name__ = f"export_{name}"
    return export


EXPORTS = tuple(_export(name, label) for name, label in LABELS.items())


def exported(model: type[models.Model], keys: Sequence[int], name: str) -> HttpResponse:
    """Return the rows with these keys, in order, as a file in the format of this name."""
    from signals.retrieval.formats import FORMATS

    batches, schema = _signals(keys) if model is Signal else _rows(model, keys)
    kind = FORMATS[name]
    file = f"{model._meta.verbose_name_plural}.{name}".replace(" ", "-")
    return HttpResponse(
        b"".join(kind.encode(batches, schema)),
        content_type=kind.media_type,
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _signals(keys: Sequence[int]) -> Table:
    """Return signals with their contexts, as `/api/analysis/signals` has them."""
    from signals.retrieval.columns import SCHEMA
    from signals.retrieval.reading import read_rows
    from signals.retrieval.selection import Selection
    from signals.retrieval.tables import to_record_batches

    return to_record_batches(read_rows(keys, Selection()), SCHEMA), SCHEMA


def _rows(model: type[models.Model], keys: Sequence[int]) -> Table:
    """Return rows with all their columns but `claim`; exact decimals and JSON are texts."""
    import pyarrow as pa

    fields = [field for field in model._meta.concrete_fields if field.name != "claim"]
    types = {_name(field): _type(field) for field in fields}
    values = {_name(field): F(field.attname) for field in fields}
    if any(field.name == "signal" for field in fields):
        types |= dict.fromkeys(OF_SIGNAL, pa.string())
        values |= {name: F(path) for name, path in OF_SIGNAL.items()}
    found = model._default_manager.filter(pk__in=keys).order_by("pk")
    rows = [
        {name: _cell(value, types[name]) for name, value in zip(values, row, strict=True)}
        for row in found.values_list(*values.values())
    ]
    schema = pa.schema(list(types.items()))
    return [pa.RecordBatch.from_pylist(rows, schema)], schema


def _name(field: models.Field[Any, Any]) -> str:
    """Return the column's name; a signal's own id is a text, which has the name `signal_id`."""
    return "signal_row" if field.name == "signal" else field.attname


def _type(field: models.Field[Any, Any]) -> "pa.DataType":
    import pyarrow as pa

    if isinstance(field, models.DateTimeField):
        return pa.timestamp("us", tz="UTC")
    if isinstance(field, models.FloatField):
        return pa.float64()
    if isinstance(field, models.ForeignKey | models.IntegerField):
        return pa.int64()
    return pa.string()


def _cell(value: object, kind: "pa.DataType") -> object:
    """Return the value as its column takes it."""
    if value is None or str(kind) != "string" or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()
