"""Tables of signals with their decisions: the filters, the columns, and decisions at a moment."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from execution.analysis.tables import DECIDED_SCHEMA, signal_batches, signal_table
from execution.decisions import queue
from execution.decisions.queue import ask_for
from execution.models import Decision
from execution.types import Denial, Reason
from signals.timestamps import utc_text
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading, decision_of

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]


def _ids(**filters: Any) -> str:  # noqa: ANN401
    return "".join(signal_table(**filters)["signal_id"].to_pylist())


def _row(**filters: Any) -> dict[str, Any]:  # noqa: ANN401
    (row,) = signal_table(**filters).to_pylist()
    return dict(row)


@pytest.fixture
def decided(database: str, trading: Trading) -> Trading:
    """Log signals that are executed, skipped, imported, being decided on, and pending."""
    trading.log(signal_id="e")
    trading.decide()
    trading.log(signal_id="s", confidence=10.0)
    trading.decide()
    trading.log(origin="import", signal_id="i")
    trading.log(signal_id="d")
    queue.claim("paper", "worker", 10, trading.clock())
    trading.log(signal_id="p")
    return trading


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "esidp"),
    ({"decision": "executed"}, "e"),
    ({"decision": "skipped"}, "s"),
    ({"decision": "pending"}, "p"),
    ({"decision": "deciding"}, "d"),
    ({"reason": "confidence"}, "s"),
    ({"reason": "stale"}, ""),
    ({"reason": "confidence", "decision": "executed"}, ""),
    ({"account": "paper"}, "esdp"),
    ({"account": "replay"}, ""),
    ({"account": "paper", "min_confidence": 50, "symbol": "nasdaq:aapl"}, "edp"),
    ({"origin": "import"}, "i"),
]


@pytest.mark.usefixtures("decided")
def test_every_filter_of_decisions() -> None:
    assert [(filters, _ids(**filters)) for filters, _ in FILTERS] == FILTERS


def test_a_filter_that_cannot_be_meant_is_refused() -> None:
    wrong: list[dict[str, Any]] = [{"reason": "stal"}, {"decision": "made"}, {"why": "stale"}]
    for filters in wrong:
        with pytest.raises(ValidationError):
            signal_batches(**filters)


def test_one_reason_of_several_is_found_by_its_whole_code(trading: Trading) -> None:
    signal = trading.log(signal_id="x")
    (claimed,) = queue.claim("paper", "worker", 10, trading.clock())
    denials = [Denial(Reason.DAILY_LOSS, "so much"), Denial(Reason.STOP, "too far")]
    queue.mark_skipped(claimed, denials, trading.clock())
    assert (_ids(reason="stop"), _ids(reason="daily_loss"), _ids(reason="stale")) == ("x", "x", "")
    row = _row()
    assert row["skipped_for"] == "daily_loss stop"
    assert orjson.loads(row["reasons"]) == decision_of(signal).reasons


@pytest.mark.usefixtures("decided")
def test_a_table_has_the_decisions_that_the_ledger_has() -> None:
    assert signal_table().schema == DECIDED_SCHEMA
    rows = {row["signal_id"]: row for row in signal_table().to_pylist()}
    decided = [rows[name]["decision"] for name in "esidp"]
    assert decided == ["executed", "skipped", None, "deciding", "pending"]
    skipped = Decision.objects.get(status="skipped")
    assert rows["s"]["skipped_for"] == skipped.skipped_for
    assert orjson.loads(rows["s"]["reasons"]) == skipped.reasons
    assert rows["s"]["decided_at"] == skipped.decided_at
    assert rows["e"]["reasons"] == "[]"
    assert rows["e"]["decided_at"] >= rows["e"]["queued_at"] > rows["e"]["timestamp"] - timedelta(1)
    of_none = ("account", "asked_by", "queued_at", "decided_at", "skipped_for", "reasons")
    assert [rows["i"][name] for name in of_none] == [None] * len(of_none)


def test_without_signals_there_are_all_columns(trading: Trading) -> None:
    assert signal_table(account=trading.context.account).schema == DECIDED_SCHEMA
    assert list(signal_batches()) == []


def test_a_decision_is_the_one_that_stood_at_the_moment(trading: Trading) -> None:
    """Logged, skipped, asked for, and executed, with a second between each."""
    off = trading.changed(auto_execute=False)
    moments: list[str] = []

    def then(act: Callable[[], object]) -> None:
        trading.wait(seconds=1)
        act()
        moments.append(utc_text(trading.clock()))

    then(lambda: trading.log(signal_id="x"))
    then(off.decide)
    then(lambda: ask_for("x", "ann", trading.clock()))
    then(off.decide)
    logged, skipped, asked, executed = moments
    expected = {
        logged: ("pending", "", None),
        skipped: ("skipped", "", "auto_execute_disabled"),
        asked: ("pending", "ann", None),
        executed: ("executed", "ann", None),
        None: ("executed", "ann", None),
    }
    columns = ("decision", "asked_by", "skipped_for")
    assert {at: tuple(_row(as_of=at)[name] for name in columns) for at in expected} == expected
    assert _row(as_of=skipped)["decided_at"] == _row(as_of=skipped)["queued_at"] + timedelta(
        seconds=1
    )
    assert _row(as_of=asked)["decided_at"] is None
    for at, filters in {
        logged: {"decision": "pending"},
        skipped: {"decision": "skipped", "reason": "auto_execute_disabled"},
        asked: {"decision": "pending", "account": "paper"},
        executed: {"decision": "executed"},
    }.items():
        assert [m for m in moments if _ids(as_of=m, **filters)].count(at) == 1
    assert _ids(as_of=executed, reason="auto_execute_disabled") == ""


def test_before_it_was_queued_a_signal_had_no_decision(trading: Trading) -> None:
    received = utc_text(trading.clock())
    trading.log(origin="import", signal_id="x")
    trading.wait(seconds=1)
    ask_for("x", "ann", trading.clock())
    assert _row(as_of=received)["decision"] is None
    assert _ids(as_of=received, account="paper") == ""
    assert _row(as_of=utc_text(trading.clock()))["decision"] == "pending"


def test_the_order_of_a_signal_is_known_from_its_time(trading: Trading) -> None:
    trading.log(signal_id="x")
    before = utc_text(trading.clock())
    trading.wait(seconds=1)
    trading.decide()
    assert _row(as_of=before)["order_id"] is None
    assert _row(as_of=utc_text(trading.clock()))["order_id"] == _row()["order_id"] is not None


@pytest.mark.usefixtures("decided")
def test_a_decision_that_is_made_while_the_table_is_read_is_not_shown_as_pending(
    trading: Trading,
) -> None:
    trading.log(signal_id="q")
    batches = signal_batches(1, decision="pending")
    assert next(batches)["signal_id"].to_pylist() == ["p"]
    trading.decide()
    assert list(batches) == []
