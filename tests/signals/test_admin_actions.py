"""Exports of selected rows, and the way back to a signal's page."""

import csv
import io

import orjson
import pyarrow.parquet as pq
import pytest
from django.test import Client

from signals.models import OutcomeChange, Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
LIST = "/admin/signals/signal/"


def _logged(**changes: object) -> Signal:
    return Signal.objects.get(signal_id=SignalTracker("test").log_signal(a_signal(**changes)))


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_only_the_selected_signals_are_exported(admin_client: Client, name: str) -> None:
    one, _, last = _logged(), _logged(symbol="IBM"), _logged(symbol="=1+1", confidence=77.125)
    data = {"action": f"export_{name}", "_selected_action": [last.pk, one.pk]}
    answer = admin_client.post(LIST, data)
    assert answer["Content-Disposition"] == f'attachment; filename="signals.{name}"'
    rows = _read(name, answer.content)
    assert [row["signal_id"] for row in rows] == [one.signal_id, last.signal_id]
    assert str(rows[1]["confidence"]) == "77.125"


def _read(name: str, content: bytes) -> list[dict[str, object]]:
    if name == "csv":
        return list(csv.DictReader(io.StringIO(content.decode())))
    if name == "jsonl":
        return [orjson.loads(line) for line in content.splitlines()]
    return list(pq.read_table(io.BytesIO(content)).to_pylist())


def test_rows_beside_a_signal_are_exported_with_its_id(admin_client: Client) -> None:
    signal = _logged()
    form = {"action": "set_outcomes", "_selected_action": [signal.pk], "outcome": "win"}
    page = admin_client.post(LIST, {**form, "exit_price": "160", "why": "x", "step": "preview"})
    etag = next(row.now.etag for row in page.context["rows"])
    done = form | {"exit_price": "160", "why": "by me", "step": "record", f"etag_{signal.pk}": etag}
    admin_client.post(LIST, done)
    change = OutcomeChange.objects.get()
    answer = admin_client.post(
        "/admin/signals/outcomechange/",
        {"action": "export_jsonl", "_selected_action": [change.pk]},
    )
    row = orjson.loads(answer.content)
    assert (row["signal_id"], row["symbol"], row["why"]) == (signal.signal_id, "AAPL", "by me")
    assert orjson.loads(row["after"])["outcome"] == "win"


def test_an_action_of_a_signals_page_leads_back_to_it(admin_client: Client) -> None:
    signal = _logged()
    page = admin_client.get(f"/signals/?id={signal.signal_id}").content.decode()
    assert 'name="action" value="verify"' in page
    chosen = {"action": "verify", "_selected_action": [signal.pk]}
    answer = admin_client.post(LIST, chosen | {"from_signal": signal.signal_id})
    assert (answer.status_code, answer["Location"]) == (302, f"/signals/?id={signal.signal_id}")
    asked = chosen | {"action": "set_outcomes", "from_signal": signal.signal_id}
    form = admin_client.post(LIST, asked).content.decode()
    assert f'name="from_signal" value="{signal.signal_id}"' in form
