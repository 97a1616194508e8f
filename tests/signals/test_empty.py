"""Columns without a value in a whole batch are written as NULL, and the rows are the same."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from signals.empty import without_empty
from signals.inserting import insert_new
from signals.ledger.records import FLOATS, SIGNAL_COLUMNS
from signals.models import Signal

WIDTH = 4
VALUES = st.none() | st.integers(0, 3) | st.text(max_size=1)
ROWS = st.lists(st.tuples(*[VALUES] * WIDTH), max_size=4)
COLUMNS = ("a", "b", "c", "d")


@given(ROWS)
def test_columns_and_empty_ones_together_are_the_rows(rows: list[tuple[Any, ...]]) -> None:
    batch = without_empty(COLUMNS, rows)
    assert sorted([*batch.columns, *batch.empty]) == sorted(COLUMNS)
    named = [dict(zip(batch.columns, row, strict=True)) for row in batch.rows]
    whole = [dict.fromkeys(batch.empty) | each for each in named]
    assert whole == [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def test_only_a_column_that_is_empty_in_every_row_is_left_out() -> None:
    rows = [(1, None, None, "x"), (2, None, 0, "y")]
    assert without_empty(COLUMNS, rows) == (["a", "c", "d"], [(1, None, "x"), (2, 0, "y")], ["b"])


@pytest.mark.django_db
def test_an_empty_column_is_null_even_if_it_has_a_default() -> None:
    values = {
        **dict.fromkeys(SIGNAL_COLUMNS, "x"), **dict.fromkeys(FLOATS & {*SIGNAL_COLUMNS}, 1.5),
        "data_source": None, "outcome": None, "created_at": None,
    }  # fmt: skip
    rows = [tuple((values | {"signal_id": name}).values()) for name in ("one", "two")]
    ids = insert_new(connection.alias, "signals", SIGNAL_COLUMNS, rows, key="signal_id",
                     floats=FLOATS)  # fmt: skip
    stored = Signal.objects.filter(pk__in=ids.values())
    names = ("signal_id", "data_source", "outcome", "created_at", "exit_price")
    assert sorted(stored.values_list(*names)) == [
        ("one", None, None, None, 1.5), ("two", None, None, None, 1.5),
    ]  # fmt: skip
