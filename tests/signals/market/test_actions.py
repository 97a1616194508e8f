"""Corporate actions: what a market lists, and what figures look like one."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.actions import ActionKind, is_dividend, jump_of, split_of
from signals.market.alpaca import AlpacaMarket
from signals.market.files import FolderMarket
from tests.signals.market.alpaca_server import Alpaca, bars, in_json, row
from tests.signals.market.builders import bars_of

HEAD = "Date,Open,High,Low,Close,Volume"
DAYS = ("2008-03-06", "2008-03-07", "2008-03-10", "2008-03-11")
LATER = datetime(2008, 3, 20, 12, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OPEN = datetime(2008, 3, 10, 13, 30, tzinfo=UTC)


def market(tmp_path: Path, closes: list[float], column: str = "", cells: str = "") -> FolderMarket:
    """Return a folder with one file; `cells` are the values of one more column."""
    values = cells.split(",") if cells else [""] * 4
    rows = [
        f"{day},{close},{close},{close},{close},1000" + (f",{value}" if column else "")
        for day, close, value in zip(DAYS, closes, values, strict=True)
    ]
    head = f"{HEAD},{column}" if column else HEAD
    (tmp_path / "AAPL.csv").write_text("\n".join([head, *rows]))
    return FolderMarket(tmp_path, clock=lambda: LATER)


@pytest.mark.parametrize(
    "column", ["Stock Splits", "stock_splits", "Split Ratio", "split", "Splits", "splitFactor"]
)
@pytest.mark.parametrize(
    ("cell", "ratio"),
    [("4", 4), ("4.0", 4), ("0.1", Fraction(1, 10)), ("1:10", Fraction(1, 10)),
     ("3:2", Fraction(3, 2)), ("0.333333", Fraction(1, 3)), ("1.05", Fraction(21, 20))],
)  # fmt: skip
def test_a_file_lists_its_splits(tmp_path: Path, column: str, cell: str, ratio: Fraction) -> None:
    found = market(tmp_path, [100, 100, 100, 100], column, f"0,0,{cell},0")
    (split,) = found.actions("AAPL", LONG_AGO, LATER)
    assert (split.kind, split.ex_at) == (ActionKind.SPLIT, OPEN)
    assert Fraction(split.new) / Fraction(split.old) == ratio
    assert split.rebased_by == pytest.approx(float(1 / Fraction(ratio)))
    assert found.actions("AAPL", OPEN, LATER) == []


@pytest.mark.parametrize("factor", [0.25, 0.1, 2.0, 1.5, 10.0])
def test_prices_that_jump_at_a_listed_split_are_adjusted(tmp_path: Path, factor: float) -> None:
    closes = [100.0, 102.0, 102.0 * factor, 103.0 * factor]
    found = market(tmp_path, closes, "Stock Splits", f"0,0,{1 / factor},0").bars("AAPL", LATER)
    assert found.close.tolist() == pytest.approx([each * factor for each in (100, 102, 102, 103)])
    assert found.volume[:2].tolist() == pytest.approx([1000 / factor] * 2)


def test_prices_that_do_not_jump_were_adjusted_by_the_vendor(tmp_path: Path) -> None:
    found = market(tmp_path, [10.0, 10.2, 10.1, 10.3], "Stock Splits", "0,0,10,0")
    assert found.bars("AAPL", LATER).close.tolist() == [10.0, 10.2, 10.1, 10.3]


def test_a_file_lists_its_dividends(tmp_path: Path) -> None:
    found = market(tmp_path, [100.0, 100.0, 99.5, 99.5], "Dividends", ",,0.5,")
    (dividend,) = found.actions("AAPL", LONG_AGO, LATER)
    assert (dividend.kind, dividend.cash, dividend.rebased_by) == (
        ActionKind.DIVIDEND, Decimal("0.5"), None,
    )  # fmt: skip


@pytest.mark.parametrize("cell", ["none", "-1", "inf", "4:0", "four"])
def test_a_cell_that_is_no_number_hides_no_prices(
    tmp_path: Path, cell: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = market(tmp_path, [10.0, 10.0, 10.0, 10.0], "Stock Splits", f"0,0,{cell},0")
    assert len(found.bars("AAPL", LATER)) == 4
    assert found.actions("AAPL", LONG_AGO, LATER) == []
    assert cell in caplog.text


RATES = {"process_date": "2024-01-04", "ex_date": "2024-01-04", "cusip": "1", "symbol": "AAPL"}
OF_ALPACA: dict[str, list[dict[str, object]]] = {
    "forward_splits": [{**RATES, "new_rate": 4, "old_rate": 1}],
    "reverse_splits": [
        {**RATES, "new_rate": 1, "old_rate": 8, "old_cusip": "1", "new_cusip": "2"}
    ],
    "stock_dividends": [{**RATES, "rate": 0.05}],
    "cash_dividends": [{**RATES, "rate": 0.24, "special": False, "foreign": False}],
    "name_changes": [
        {"old_symbol": "AAPL", "new_symbol": "ZZZZ", "old_cusip": "1", "new_cusip": "2",
         "process_date": "2024-01-04"},
        {"old_symbol": "OLD", "new_symbol": "AAPL", "old_cusip": "1", "new_cusip": "2",
         "process_date": "2024-01-04"},
    ],
}  # fmt: skip


def test_alpaca_lists_its_actions(alpaca: Alpaca, market: AlpacaMarket) -> None:
    actions = {
        name: [{**each, "id": str(uuid4())} for each in rows] for name, rows in OF_ALPACA.items()
    }
    answers = in_json({"corporate_actions": actions, "next_page_token": None})
    prices = bars(row("2024-01-03", 100.0), row("2024-01-04", 99.0))
    alpaca.behave = lambda asked: answers if "corporate" in asked.path else prices
    upto = datetime(2024, 1, 5, tzinfo=UTC)
    found = market.actions("AAPL", LONG_AGO, upto)
    kinds = sorted(each.kind.value for each in found)
    assert kinds == ["dividend", "rename", "split", "split", "split"]
    ratios = {Fraction(each.new) / Fraction(each.old) for each in found if each.kind == "split"}
    assert ratios == {Fraction(4), Fraction(1, 8), Fraction(21, 20)}
    (dividend,) = [each for each in found if each.kind == ActionKind.DIVIDEND]
    assert dividend.cash == Decimal("0.24")
    assert dividend.rebased_by == pytest.approx(100 / 100.24)
    assert {each.ex_at for each in found} == {datetime(2024, 1, 4, 14, 30, tzinfo=UTC)}
    assert [each.new_symbol for each in found if each.kind == "rename"] == ["ZZZZ"]


@given(st.integers(2, 100), st.booleans(), st.floats(0.999, 1.001))
def test_whole_ratios_are_splits(shares: int, is_reverse: bool, noise: float) -> None:
    ratio = Fraction(1, shares) if is_reverse else Fraction(shares)
    assert split_of(float(1 / ratio) * noise) == ratio
    assert jump_of(100.0, 100.0 / float(ratio) * noise) in (ratio, None) or shares > 15


@pytest.mark.parametrize("factor", [0.43, 0.77, 0.985, 1.0, 1.02, 0.0, -1.0, float("nan"), 1e-9])
def test_other_factors_are_no_splits(factor: float) -> None:
    assert split_of(factor) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [(100.0, 72.0), (100.0, 58.0), (100.0, 41.0), (100.0, 139.0), (100.0, 90.0)],
)
def test_other_jumps_are_real(before: float, after: float) -> None:
    assert jump_of(before, after) is None


@pytest.mark.parametrize(
    ("factor", "is_one"),
    [(0.995, True), (0.95, True), (0.9985, True), (0.89, False), (0.9999, False), (1.01, False)],
)
def test_a_history_that_fell_a_little_was_changed_by_a_dividend(
    factor: float, is_one: bool
) -> None:
    assert is_dividend(factor) is is_one


@pytest.mark.parametrize("factor", [0.1, 1 / 3, 7.0, 0.9931])
def test_prices_that_are_multiplied_and_divided_are_the_same_again(factor: float) -> None:
    made = bars_of([100.01, 33.33, 0.0123])
    factors = np.full(3, factor)
    again = made.times(factors).times(1 / factors)
    assert again.close.tolist() == made.close.tolist()
    assert again.volume.tolist() == pytest.approx(made.volume.tolist())


def test_the_actions_are_asked_for_as_documented(alpaca: Alpaca, market: AlpacaMarket) -> None:
    alpaca.always(in_json({"corporate_actions": {}, "next_page_token": None}))
    assert market.actions("AAPL", LONG_AGO, LATER) == []
    assert alpaca.asked.path == "/v1/corporate-actions"
    assert alpaca.asked.parameters["symbols"] == "AAPL"
    assert json.dumps(alpaca.asked.parameters["types"].split(",")).count("split") == 2
