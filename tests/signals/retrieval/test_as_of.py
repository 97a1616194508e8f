"""Tables as of a moment: what was known then, by receipt and by the time of each change."""

from datetime import timedelta
from typing import Any

import pytest

from signals.retrieval.tables import signal_table
from signals.timestamps import parse_utc, utc_text
from tests.databases import DATABASES
from tests.signals.retrieval.conftest import Ledger, store_by_script

pytestmark = pytest.mark.django_db(databases=DATABASES)
BEFORE = "2025-01-15T11:59:59.999999Z"
MICROSECOND = timedelta(microseconds=1)


def _known(as_of: str | None, **filters: Any) -> dict[str, str | None]:  # noqa: ANN401
    """Return the outcomes by signal."""
    rows = signal_table(as_of=as_of, **filters).to_pylist()
    return {row["signal_id"]: row["outcome"] for row in rows}


def test_a_late_receipt_counts_and_not_the_time_that_a_signal_claims(ledger: Ledger) -> None:
    ledger.at("2025-01-15T12:00:00Z").log("late", timestamp="2024-06-01T00:00:00Z")
    ledger.at("2025-01-15T12:00:01Z").bring_in("history", outcome="win")
    assert _known(BEFORE) == {}
    assert _known("2025-01-15T12:00:00Z") == {"late": None}
    assert _known("2025-01-15T12:00:01Z") == {"late": None, "history": "win"}


def test_a_moment_is_exact_to_the_microsecond(ledger: Ledger) -> None:
    """A text without a fraction sorts after those of its second that have one."""
    times = ["2024-12-31T23:59:59Z", "2025-01-15T11:59:59.999999Z", "2025-01-15T12:00:00Z",
             "2025-01-15T12:00:00.000001Z", "2025-01-15T12:00:00.500000Z",
             "2025-01-15T12:00:00.999999Z", "2025-01-15T12:00:01Z"]  # fmt: skip
    for number, text in enumerate(times):
        ledger.at(text).log(f"{number}", timestamp="2024-06-01T00:00:00Z")
        ledger.end(f"{number}", "win", 158.0)
    for number, text in enumerate(times):
        before = utc_text(parse_utc(text) - MICROSECOND)
        assert list(_known(before).values()) == ["win"] * number
        assert list(_known(text).values()) == ["win"] * (number + 1)


def test_outcomes_are_those_of_the_moment_before_and_after_each_edit(ledger: Ledger) -> None:
    ledger.at("2025-01-15T12:00:00Z").log("x", timestamp="2025-01-15T11:00:00Z")
    ledger.at("2025-01-16T00:00:00Z").end("x", "win", 158.0)
    ledger.at("2025-01-17T00:00:00.250000Z").end("x", "loss", 146.0)
    ledger.at("2025-01-18T00:00:00Z").end("x", None)
    expected = {
        "2025-01-15T12:00:00Z": (None, None, None),
        "2025-01-15T23:59:59.999999Z": (None, None, None),
        "2025-01-16T00:00:00Z": ("win", 158.0, "2025-01-16T00:00:00Z"),
        "2025-01-17T00:00:00Z": ("win", 158.0, "2025-01-16T00:00:00Z"),
        "2025-01-17T00:00:00.250000Z": ("loss", 146.0, "2025-01-17T00:00:00.250000Z"),
        "2025-01-18T00:00:00Z": (None, None, "2025-01-18T00:00:00Z"),
        None: (None, None, "2025-01-18T00:00:00Z"),
    }
    for moment, (outcome, exit_price, changed) in expected.items():
        (row,) = signal_table(as_of=moment).to_pylist()
        assert (row["outcome"], row["exit_price"]) == (outcome, exit_price)
        assert (row["profit_loss_pct"] is None) == (outcome is None)
        assert row["outcome_at"] == (changed and parse_utc(changed)), moment


def test_the_filter_of_outcomes_goes_by_the_outcome_then(ledger: Ledger) -> None:
    ledger.at("2025-01-15T12:00:00Z").log("x")
    ledger.log("y")
    ledger.at("2025-01-16T00:00:00Z").end("x", "win", 158.0)
    ledger.at("2025-01-17T00:00:00Z").end("x", "loss", 146.0)
    expected: dict[tuple[str | None, str], set[str]] = {
        ("2025-01-15T12:00:00Z", "open"): {"x", "y"},
        ("2025-01-16T00:00:00Z", "open"): {"y"},
        ("2025-01-16T00:00:00Z", "win"): {"x"},
        ("2025-01-17T00:00:00Z", "win"): set(),
        ("2025-01-17T00:00:00Z", "loss"): {"x"},
        (None, "loss"): {"x"},
        (None, "win"): set(),
    }
    assert {(at, each): set(_known(at, outcome=each)) for at, each in expected} == expected


def test_an_imported_outcome_was_known_from_the_import_and_its_edit_from_the_edit(
    ledger: Ledger,
) -> None:
    ledger.at("2025-01-15T12:00:00Z").bring_in("x", outcome="win", exit_price=111.25)
    ledger.at("2025-01-16T12:00:00Z").end("x", "loss", 95.0)
    assert _known("2025-01-15T12:00:00Z") == {"x": "win"}
    assert _known("2025-01-16T12:00:00Z") == {"x": "loss"}
    (row,) = signal_table(as_of="2025-01-16T00:00:00Z").to_pylist()
    assert (row["exit_price"], row["outcome_at"]) == (111.25, None)


def test_a_change_by_a_clock_that_was_behind_is_not_known_before_the_one_it_follows(
    ledger: Ledger,
) -> None:
    """The second change starts from the result of the first, so it came later."""
    ledger.at("2025-01-15T12:00:00Z").log("x")
    ledger.at("2025-01-16T12:00:00Z").end("x", "win", 158.0)
    ledger.at("2025-01-16T11:00:00Z").end("x", "loss", 146.0)
    assert _known("2025-01-16T11:30:00Z") == {"x": None}
    assert _known("2025-01-16T12:00:00Z") == {"x": "loss"}


def test_an_outcome_before_its_signal_is_known_from_its_receipt(ledger: Ledger) -> None:
    ledger.at("2025-01-15T12:00:00Z").log("x", timestamp="2025-01-15T12:04:00Z")
    ledger.at("2025-01-15T12:01:00Z").end("x", "win", 158.0)
    assert _known("2025-01-15T12:01:00Z") == {"x": "win"}


def test_a_row_that_argo_never_received_was_never_known(ledger: Ledger) -> None:
    ledger.log("x")
    store_by_script("script", entry_price="1", target_price="2")
    assert _known(None) == {"x": None, "script": None}
    assert _known("9999-12-31T23:59:59.999999Z") == {"x": None}
