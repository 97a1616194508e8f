"""Tables of signals become arrays and groups; what is missing stays unknown."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from signals.analysis.tables import (
    GROUPS,
    closed_signals,
    counts,
    ended_signals,
    groups,
)

MONDAY = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
TUESDAY = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)
WORD = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("instrument", WORD), ("action", WORD), ("entry_price", pa.float64()),
        ("stop_price", pa.float64()), ("confidence", pa.float64()), ("strategy", WORD),
        ("data_source", WORD), ("timestamp", pa.timestamp("us", tz="UTC")), ("outcome", WORD),
        ("profit_loss_pct", pa.float64()), ("outcome_at", pa.timestamp("us", tz="UTC")),
        ("origin", WORD), ("regime", WORD),
    ]
)  # fmt: skip
PLAIN = {
    "instrument": "AAPL", "action": "BUY", "entry_price": 100.0, "stop_price": 95.0,
    "confidence": 80.0, "strategy": "consensus", "data_source": "sample", "timestamp": MONDAY,
    "outcome": "win", "profit_loss_pct": 4.0, "outcome_at": TUESDAY, "origin": "replay",
    "regime": "BULL",
}  # fmt: skip


def table(*changes: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([PLAIN | change for change in changes], SCHEMA)


def test_signals_are_counted_by_their_outcome() -> None:
    found = counts(table({}, {"outcome": None}, {"outcome": "expired"}, {"outcome": "loss"}))
    assert (found.issued, found.open, found.closed) == (4, 1, 3)
    assert (found.win, found.loss, found.breakeven, found.expired) == (1, 1, 0, 1)


def test_an_empty_table_counts_nothing() -> None:
    empty = table()
    assert counts(empty).issued == 0
    assert closed_signals(empty).outcome.size == 0
    assert ended_signals(empty).event.size == 0
    assert list(groups(empty, "symbol")) == []


def test_open_signals_are_not_among_the_closed() -> None:
    found = closed_signals(table({}, {"outcome": None, "profit_loss_pct": None}))
    assert found.outcome.tolist() == ["win"]
    assert found.profit_pct.tolist() == [4.0]
    assert (found.closed - found.opened)[0] == np.timedelta64(17 * 60 + 30, "m")


def test_the_risk_is_the_distance_to_a_stop_on_the_right_side() -> None:
    found = closed_signals(
        table(
            {},
            {"action": "SELL", "stop_price": 102.0},
            {"stop_price": 105.0},
            {"stop_price": None},
            {"stop_price": 100.0},
            {"entry_price": 0.0},
        )
    )
    assert found.risk_pct.tolist() == pytest.approx([5.0, 2.0, *[np.nan] * 4], nan_ok=True)


def test_numbers_that_are_not_finite_are_unknown() -> None:
    found = closed_signals(
        table({"profit_loss_pct": float("inf")}, {"profit_loss_pct": float("nan")})
    )
    assert np.isnan(found.profit_pct).all()


def test_excursions_are_taken_if_the_table_has_them() -> None:
    plain = table({})
    assert np.isnan(closed_signals(plain).mae_pct).all()
    both = plain.append_column("mae_pct", pa.array([-2.0])).append_column(
        "mfe_pct", pa.array([5.0])
    )
    assert (closed_signals(both).mae_pct[0], closed_signals(both).mfe_pct[0]) == (-2.0, 5.0)


def test_only_a_win_has_reached_its_target() -> None:
    outcomes = ("win", "loss", "breakeven", "expired", None)
    found = ended_signals(table(*({"outcome": outcome} for outcome in outcomes)))
    assert found.event.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert set(found.confidence) == {0.8}


def test_signals_without_a_time_are_not_judged() -> None:
    found = ended_signals(table({}, {"timestamp": None}, {"outcome_at": None}))
    assert found.event.size == 1


@pytest.mark.parametrize(
    ("by", "changes", "names"),
    [
        ("symbol", [{}, {"instrument": "MSFT"}], ["AAPL", "MSFT"]),
        ("side", [{}, {"action": "SELL"}], ["BUY", "SELL"]),
        ("regime", [{}, {"regime": None}], ["BULL", "unknown"]),
        ("hour", [{}, {"timestamp": TUESDAY}], ["09:00", "15:00"]),
        ("weekday", [{"timestamp": TUESDAY}, {}], ["1 Monday", "2 Tuesday"]),
        ("confidence", [{"confidence": c} for c in (100.0, 90.0, 89.9, 0.0)],
         ["00 to 10", "80 to 90", "90 to 100"]),
    ],
)  # fmt: skip
def test_signals_are_grouped(by: str, changes: list[dict[str, Any]], names: list[str]) -> None:
    found = dict(groups(table(*changes), by))
    assert list(found) == names
    assert sum(each.num_rows for each in found.values()) == len(changes)


def test_every_grouping_works() -> None:
    for by in GROUPS:
        assert [each.num_rows for _, each in groups(table({}, {}), by)] == [2]


def test_an_unknown_grouping_is_refused() -> None:
    with pytest.raises(ValueError, match="not grouped by 'colour'"):
        list(groups(table({}), "colour"))
