"""CSV from spreadsheets: any delimiter, any case of the header, and every bad cell is named."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from argo.errors import InvalidInput
from signals.models import Signal, SignalContext
from signals.retrieval.reading import read_batches
from signals.retrieval.selection import Selection
from signals.tracker import SignalTracker
from signals.transfer.reading import UnreadableFile, read_signals
from signals.transfer.writing import COLUMNS as WRITTEN
from signals.transfer.writing import write_csv
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
COLUMNS = [
    "symbol", "action", "entry_price", "target_price", "stop_price", "confidence", "timestamp",
]  # fmt: skip
GOOD = ["AAPL", "BUY", "150.5", "158", "146.0", "80", "2025-01-15T10:30:00Z"]


def _table(*rows: list[str], header: list[str] = COLUMNS, delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    return out.getvalue()


def _changed(**cells: str) -> list[str]:
    return [cells.get(name, cell) for name, cell in zip(COLUMNS, GOOD, strict=True)]


def _import(tmp_path: Path, text: str | bytes) -> dict[str, Any]:
    """Import a file; return the command's result."""
    path, out = tmp_path / "signals.csv", io.StringIO()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        call_command("import_signals", str(path), "--json", stdout=out)
    except CommandError as error:
        if not out.getvalue():
            return {"error": str(error).removeprefix(f"{path}: ")}
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def _faults(tmp_path: Path, *rows: list[str], **how: Any) -> list[tuple[int, str]]:  # noqa: ANN401
    refused = _import(tmp_path, _table(*rows, **how))["refused"]
    return [(each["line"], each["error"]) for each in refused]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised(tmp_path: Path, delimiter: str) -> None:
    assert _import(tmp_path, _table(GOOD, delimiter=delimiter))["stored"] == 1


@pytest.mark.parametrize("first", ["sep=;\r\n", "SEP=;\n"])
def test_a_spreadsheets_line_that_names_the_delimiter_is_understood(
    tmp_path: Path, first: str
) -> None:
    text = first + _table(GOOD, _changed(action="HOLD"), delimiter=";")
    found = _import(tmp_path, text)
    assert found["stored"] == 1
    assert found["refused"][0]["line"] == 4


@pytest.mark.parametrize("change", [str.upper, str.title, lambda name: f" {name} ",
                                    lambda name: name.replace("_", " ")])  # fmt: skip
def test_the_header_may_have_any_case(tmp_path: Path, change: Any) -> None:  # noqa: ANN401
    assert _import(tmp_path, _table(GOOD, header=list(map(change, COLUMNS))))["stored"] == 1


def test_an_unknown_column_keeps_its_name(tmp_path: Path) -> None:
    _import(tmp_path, _table([*GOOD, "x"], header=[*COLUMNS, "My Note"]))
    assert SignalContext.objects.get().extra == {"My Note": "x"}


def test_other_names_are_understood_as_at_every_door(tmp_path: Path) -> None:
    header = [{"target_price": "Take_Profit", "stop_price": "STOP_LOSS"}.get(name, name)
              for name in COLUMNS]  # fmt: skip
    assert _import(tmp_path, _table(GOOD, header=header))["stored"] == 1


def test_every_bad_cell_is_named_with_its_row_and_column(tmp_path: Path) -> None:
    bad = _changed(entry_price="150,5", target_price="1.234,5", confidence="high", action="HOLD")
    ((line, text),) = _faults(tmp_path, GOOD, bad)
    assert line == 3
    assert text == (
        "entry_price: in row 3, column 3, is '150,5', which has a decimal comma: write 150.5; "
        "target_price: in row 3, column 4, is '1.234,5', which may have a decimal comma or "
        "separators of thousands: write it as 1234.5; "
        "confidence: in row 3, column 6, is 'high', which is not a number; "
        "action: must be BUY or SELL"
    )
    assert Signal.objects.count() == 1


@pytest.mark.parametrize("cell", ["1_5", "٣", "nan", "inf", "0x10", "1e", "--1", "1 5", "1'000"])
def test_what_only_looks_like_a_number_is_named(tmp_path: Path, cell: str) -> None:
    ((_, text),) = _faults(tmp_path, _changed(entry_price=cell))
    assert text.startswith(f"entry_price: in row 2, column 3, is {cell!r}, which ")


@pytest.mark.parametrize("cell", ["150.50", " 150.5", "+150.5", "1.505e2", "150.5 "])
def test_spellings_of_a_number(tmp_path: Path, cell: str) -> None:
    assert _import(tmp_path, _table(_changed(entry_price=cell)))["stored"] == 1
    assert Signal.objects.get().entry_price == 150.5


def test_bad_cells_of_history_are_named_too(tmp_path: Path) -> None:
    row = [*_changed(entry_price="a", stop_price="b"), "0" * 64, ""]
    ((_, text),) = _faults(tmp_path, row, header=[*COLUMNS, "sha256", "signal_id"])
    assert [each.split(":")[0] for each in text.split("; ")] == [
        "entry_price", "stop_price", "signal_id",
    ]  # fmt: skip


def test_a_row_with_more_cells_than_the_header_is_named(tmp_path: Path) -> None:
    ((line, text),) = _faults(tmp_path, [*GOOD, "more"])
    assert (line, text[:17]) == (2, "row: 2 has 8 cell")


def test_rows_count_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    text = _table(GOOD) + "\n" + _table(_changed(action="HOLD")).split("\n", 1)[1]
    assert _import(tmp_path, text)["refused"][0]["line"] == 4


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (_table(GOOD, header=["symbol", "Symbol", *COLUMNS[2:]]), "has the column symbol twice"),
        ("what;ever\n1;2\n", "is not an SQLite database, JSON lines, or CSV"),
        (_table(GOOD).encode("utf-16"), "is UTF-16: send it as plain UTF-8"),
        (_table(_changed(symbol="Ä")).encode("latin-1"), "is not UTF-8"),
    ],
    ids=["twice", "no columns", "utf-16", "latin-1"],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, text: str | bytes, why: str) -> None:
    assert _import(tmp_path, text)["error"].startswith(why)


def test_a_quote_that_is_not_closed_ends_no_import(tmp_path: Path) -> None:
    text = _table(GOOD) + '"' + "x" * 2**20 + "\n"
    found = _import(tmp_path, text)
    assert found["stored"] == 1
    assert "cannot be read" in found["refused"][0]["error"]


def test_extra_that_contradicts_a_column_is_refused(tmp_path: Path) -> None:
    row = [*GOOD, '{"symbol": "MSFT"}']
    ((_, text),) = _faults(tmp_path, row, header=[*COLUMNS, "extra"])
    assert text == "symbol: is given twice: as a column, and in extra"


@pytest.mark.parametrize("cell", ["[1]", "{nope", '{"a": 1, "a": 2}', "5"])
def test_extra_that_is_no_object_is_refused(tmp_path: Path, cell: str) -> None:
    ((_, text),) = _faults(tmp_path, [*GOOD, cell], header=[*COLUMNS, "extra"])
    assert text.startswith("extra: ")


TEXTS = [
    "=1+1",
    "+1",
    "-1",
    "@ES",
    "\tx",
    "\rx",
    "'=1",
    "''@x",
    "'quoted'",
    "\uff1d1",
    "plain",
    "'",
]


@pytest.mark.parametrize("text", TEXTS)
def test_no_spreadsheet_finds_a_formula_and_importing_restores_the_text(
    tmp_path: Path, text: str
) -> None:
    SignalTracker("test").log_signal(a_signal(strategy=text, reasoning=text))
    path = tmp_path / "out.csv"
    with path.open("wb") as file:
        write_csv(read_batches(Selection()), file)
    (row,) = csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert row["strategy"][0] not in "=+-@\t\r\uff1d"
    (((_, found)),) = read_signals(path)
    assert not isinstance(found, InvalidInput)
    assert (found["strategy"], found["reasoning"]) == (text, text)


def test_negative_numbers_are_written_as_numbers() -> None:
    out = io.BytesIO()
    row = dict.fromkeys(["profit_loss_pct"], -2.5)
    write_csv([[dict.fromkeys(WRITTEN) | row]], out)
    assert b",-2.5," in out.getvalue()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="nowhere"):
        list(read_signals(tmp_path / "nowhere.csv"))
