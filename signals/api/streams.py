"""Tables as streamed answers.

The module of formats is imported on demand, because it loads pyarrow.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.http import StreamingHttpResponse

if TYPE_CHECKING:
    import pyarrow as pa

_BINARY, _TEXT = {"type": "string", "format": "binary"}, {"type": "string"}
MEDIA: dict[str, tuple[str, dict[str, str]]] = {
    "arrow": ("application/vnd.apache.arrow.stream", _BINARY),
    "parquet": ("application/vnd.apache.parquet", _BINARY),
    "csv": ("text/csv", _TEXT),
    "jsonl": ("application/x-ndjson", _TEXT),
}
"""The media type of each format, and the schema of such a body."""


def described(*formats: str) -> dict[str, Any]:
    """Return what the API's description says of a call that streams these formats."""
    content = {MEDIA[name][0]: {"schema": MEDIA[name][1]} for name in formats}
    answer = {"description": "The table, as a stream", "content": content}
    return {"responses": {200: answer}}


def streamed(
    batches: "Iterator[pa.RecordBatch]", schema: "pa.Schema", form: str
) -> StreamingHttpResponse:
    """Return the batches as a file in this format; an error before the first one is raised."""
    from signals.retrieval.formats import FORMATS

    first = list(islice(batches, 1))
    kind = FORMATS[form]
    parts = kind.encode(_unleased(chain(first, batches)), schema)
    return StreamingHttpResponse(
        parts,
        content_type=kind.media_type,
        headers={"Content-Disposition": f'attachment; filename="signals.{form}"'},
    )


def _unleased(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the batches; a client that reads slowly keeps no connection to the database."""
    for batch in batches:
        if not connection.in_atomic_block:
            connection.close()
        yield batch
