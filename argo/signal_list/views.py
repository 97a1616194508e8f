"""`GET /api/signals`, and its export. They stand here because their filters know all apps.

The modules of tables are imported on demand, because they load pyarrow.
"""

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router

from argo.signal_list.query import OF_OTHERS, ExportQuery, ListQuery
from signals.api.auth import reader
from signals.api.bodies import refuse_unknown
from signals.api.schemas import Refused, SignalPage
from signals.api.streams import described, streamed
from signals.api.versions import versioned
from signals.api.views import router as signals
from signals.ledger.pages import page
from signals.ledger.version import ledger_version

exports = Router(tags=["signals"])


@signals.get(
    "",
    auth=reader,
    response={200: SignalPage, 422: Refused},
    summary="Stored signals, filtered by any column and sorted by time or confidence",
)
def list_signals(request: HttpRequest, query: Query[ListQuery]) -> HttpResponseBase:
    """Return one page. Send its `next` as `after`, with the same filters and `sort`, to get the
    next one.

    A filter without an index (all but `symbol`, `since`, `until` and `signal_id`) looks at a
    bounded number of signals: the page may be short, or empty, and still have a `next`."""
    refuse_unknown(request, ListQuery)

    def answer() -> dict[str, object]:
        items, following = page(query)
        return {"items": items, "next": following}

    return versioned(request, _version(query), answer)


@exports.get(
    "/export",
    auth=reader,
    openapi_extra=described("csv", "jsonl", "parquet"),
    summary="All stored signals that the filters select, as a file",
)
def export_signals(request: HttpRequest, query: Query[ExportQuery]) -> StreamingHttpResponse:
    """Stream the signals, oldest row first, in bounded memory. The filters are those of the list.

    A cell of CSV that a spreadsheet would run as a formula has an apostrophe before it."""
    from signals.retrieval.columns import chosen_schema
    from signals.retrieval.reading import read_batches
    from signals.retrieval.tables import to_record_batches

    refuse_unknown(request, ExportQuery)
    schema = chosen_schema(query.fields_)
    return streamed(to_record_batches(read_batches(query), schema), schema, query.format)


def _version(query: ListQuery) -> str | None:
    """Return the version of the answer; None if it depends on decisions or deliveries."""
    asks = any(getattr(query, name) is not None for name in ("decision", "reason", "delivery"))
    has_others = bool(OF_OTHERS.keys() & query.paths.keys())
    return None if asks or has_others or query.account is not None else ledger_version()
