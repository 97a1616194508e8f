"""The call that streams a table: its formats, its filters, and how little a slow reader keeps."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import OperationalError, connection
from django.http import StreamingHttpResponse
from django.test import Client

from argo.api import api
from execution.analysis.tables import DECIDED_SCHEMA, signal_table
from execution.api.analysis import STREAMS, TableQuery
from signals.config import flusher
from signals.keys import create_key
from signals.retrieval import reading
from signals.retrieval.formats import FORMATS
from signals.tracker import SignalTracker
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading
from tests.samples import signals

PATH = "/api/analysis/signals"


@pytest.fixture
def client(db: None) -> Client:
    return Client(headers={"X-API-Key": create_key("looker", ["read"])})


def _get(client: Client, **query: Any) -> bytes:  # noqa: ANN401
    answer = client.get(PATH, query)
    assert isinstance(answer, StreamingHttpResponse), answer.content
    kind = query.get("format", "arrow")
    assert answer["Content-Type"] == FORMATS[kind].media_type
    assert f"signals.{kind}" in answer["Content-Disposition"]
    return b"".join(answer)


def _arrow(client: Client, **query: Any) -> pa.Table:  # noqa: ANN401
    return pa.ipc.open_stream(_get(client, **query)).read_all()


@pytest.fixture
def stored(trading: Trading) -> Trading:
    trading.log(signal_id="a", reasoning="=cmd()", votes=[{"source": "x"}])
    trading.decide()
    trading.log(signal_id="b", confidence=10.0)
    trading.decide()
    return trading


@pytest.mark.django_db(databases=DATABASES)
@pytest.mark.usefixtures("database", "stored")
def test_every_format_has_the_rows_of_the_table(client: Client) -> None:
    table = signal_table()
    rows = table.to_pylist()
    assert _arrow(client).to_pylist() == rows
    assert pq.read_table(io.BytesIO(_get(client, format="parquet"))).to_pylist() == rows
    lines = [json.loads(line) for line in _get(client, format="jsonl").splitlines()]
    assert [line["signal_id"] for line in lines] == ["a", "b"]
    for line, row in zip(lines, rows, strict=True):
        assert line.keys() == row.keys()
        assert line["entry_price"] == row["entry_price"]
        assert line["received_at"] == "2025-01-15T15:00:00Z"
    cells = list(csv.DictReader(io.StringIO(_get(client, format="csv").decode())))
    assert [cell["signal_id"] for cell in cells] == ["a", "b"]
    assert cells[0]["reasoning"] == "'=cmd()"
    assert (cells[1]["decision"], cells[1]["exit_price"]) == ("skipped", "")
    assert cells[0]["received_at"] == "2025-01-15T15:00:00Z"


@pytest.mark.django_db
@pytest.mark.usefixtures("stored")
def test_filters_and_the_moment_are_those_of_python(client: Client) -> None:
    assert _arrow(client, reason="confidence")["signal_id"].to_pylist() == ["b"]
    assert _arrow(client, decision="executed", symbol="aapl")["signal_id"].to_pylist() == ["a"]
    assert _arrow(client, as_of="2025-01-15T14:59:59Z").num_rows == 0


@pytest.mark.django_db
@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_answer_has_the_columns(client: Client, kind: str) -> None:
    body = _get(client, format=kind)
    if kind == "arrow":
        assert pa.ipc.open_stream(body).read_all().schema == DECIDED_SCHEMA
    elif kind == "parquet":
        assert pq.read_table(io.BytesIO(body)).schema.names == DECIDED_SCHEMA.names
    else:
        expected = ",".join(DECIDED_SCHEMA.names) + "\r\n" if kind == "csv" else ""
        assert body.decode() == expected


@pytest.mark.django_db
def test_what_cannot_be_meant_is_refused(client: Client) -> None:
    for query in (
        "symbl=A", "symbol=", "format=xml", "reason=stal", "as_of=2025-01-01", "as_of=now",
        "since=1", "decision=made", "symbol=A&symbol=B", "limit=5", "after=x",
    ):  # fmt: skip
        answer = client.get(f"{PATH}?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.django_db
def test_an_error_before_the_first_row_is_answered_as_one(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Iterator[Any]:
        raise OperationalError("down")
        yield

    monkeypatch.setattr(reading, "_keys", fail)
    assert client.get(PATH).status_code == 503


@pytest.mark.django_db(databases=DATABASES, transaction=True)
@pytest.mark.usefixtures("database")
def test_a_slow_reader_keeps_no_connection(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    SignalTracker("python", wakes_worker=False).accept(signals(3))
    flusher().flush()
    monkeypatch.setattr("execution.analysis.tables.decided_batches.__defaults__", (1,))
    answer = client.get(PATH, {"format": "jsonl"})
    ids = []
    for part in answer:
        ids.append(json.loads(part)["signal_id"])
        assert connection.connection is None
    assert len(ids) == 3


def test_the_description_names_every_format() -> None:
    types = {kind.media_type.partition(";")[0] for kind in FORMATS.values()}
    assert set(STREAMS["responses"][200]["content"]) == types
    assert set(FORMATS) == set(TableQuery.model_json_schema()["properties"]["format"]["enum"])
    described = api.get_openapi_schema()["paths"][PATH]["get"]
    assert set(described["responses"][200]["content"]) == types
    assert {each["name"] for each in described["parameters"]} == set(TableQuery.model_fields)


def test_the_addresses_load_no_library_of_tables_and_figures() -> None:
    """They take a hundred megabytes in each process of the web server."""
    loaded = (
        "import sys, django; django.setup(); import argo.urls; "
        "print(*{'pyarrow', 'pandas', 'scipy'} & sys.modules.keys())"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "argo.settings"}
    answer = subprocess.run(
        [sys.executable, "-c", loaded], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == []
