"""Endpoints under /api/analysis: stored signals as typed tables.

The modules of tables are imported on demand, because they load pyarrow.
"""

from typing import Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router
from pydantic import Field

from execution.analysis.selection import DecidedSelection
from signals.api.auth import reader
from signals.api.bodies import refuse_unknown
from signals.api.streams import described, streamed

router = Router(tags=["analysis"])
STREAMS = described("arrow", "parquet", "csv", "jsonl")


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

    refuse_unknown(request, TableQuery)
    return streamed(decided_batches(query), DECIDED_SCHEMA, query.format)
