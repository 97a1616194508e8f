"""Endpoints under /api/analysis: stored signals as typed tables.

The modules of tables are imported on demand, because they load pyarrow.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Literal

from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router
from pydantic import Field

from execution.analysis.selection import DecidedSelection
from signals.api.auth import reader
from signals.api.bodies import refuse_unknown

router = Router(tags=["analysis"])
_BINARY = {"schema": {"type": "string", "format": "binary"}}
STREAMS: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The table, as a stream",
            "content": {
                "application/vnd.apache.arrow.stream": _BINARY,
                "application/vnd.apache.parquet": _BINARY,
                "text/csv": {"schema": {"type": "string"}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        }
    }
}


class TableQuery(DecidedSelection):
    """Selects the signals of a table, and its format."""

    format: Literal["arrow", "parquet", "csv", "jsonl"] = Field(
        "arrow", description="`arrow` is a stream that `pyarrow.ipc.open_stream` reads"
    )


@router.get(
    "/signals", auth=reader, openapi_extra=STREAMS, summary="Stored signals as a typed table"
)
def get_signals(request: HttpRequest, query: Query[TableQuery]) -> StreamingHttpResponse:
    """Stream all signals that the filters select with their decisions, oldest row first.

    With `as_of` each is as it was known then, by receipt and by the time of each change.
    """
    from execution.analysis.tables import DECIDED_SCHEMA, decided_batches
    from signals.retrieval.formats import FORMATS

    refuse_unknown(request, TableQuery)
    batches = decided_batches(query)
    first = list(islice(batches, 1))  # an error is answered as one
    kind = FORMATS[query.format]
    parts = kind.encode(_unleased(chain(first, batches)), DECIDED_SCHEMA)
    return StreamingHttpResponse(
        parts,
        content_type=kind.media_type,
        headers={"Content-Disposition": f'attachment; filename="signals.{query.format}"'},
    )


def _unleased(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the batches; a client that reads slowly keeps no connection to the database."""
    for batch in batches:
        if not connection.in_atomic_block:
            connection.close()
        yield batch
