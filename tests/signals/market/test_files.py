"""A folder of daily bars, in the formats that people and programs write."""

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from signals.market.bars import BadBars
from signals.market.files import FolderMarket
from signals.market.protocol import FeedError, Quote, UnknownSymbol

HEAD = "Date,Open,High,Low,Close,Volume\n"
ROWS = "2008-03-06,10,12,9,10,1000\n2008-03-07,10,12,9,11,2000\n2008-03-10,10,12,9,12,3000\n"
CLOSES = [
    datetime(2008, 3, 6, 21, tzinfo=UTC),
    datetime(2008, 3, 7, 21, tzinfo=UTC),
    datetime(2008, 3, 10, 20, tzinfo=UTC),
]
LATER = datetime(2008, 3, 11, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bars"
    folder.mkdir()
    return folder


@pytest.fixture
def market(folder: Path) -> FolderMarket:
    return FolderMarket(folder, clock=lambda: LATER)


def closes(market: FolderMarket, symbol: str = "AAPL") -> list[float]:
    found: list[float] = market.bars(symbol, LATER).close.tolist()
    return found


def refused(market: FolderMarket) -> str:
    with pytest.raises(BadBars) as raised:
        market.bars("AAPL", LATER)
    return str(raised.value)


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Date": ["2008-03-06", "2008-03-07", "2008-03-10"],
            "Open": [10.0, 10.0, 10.0],
            "High": [12.0, 12.0, 12.0],
            "Low": [9.0, 9.0, 9.0],
            "Close": [10.0, 11.0, 12.0],
            "Volume": [1000, 2000, 3000],
        }
    )


def test_bars_come_from_a_csv_file(folder: Path, market: FolderMarket) -> None:
    (folder / "AAPL.csv").write_text(HEAD + ROWS)
    bars = market.bars("AAPL", LATER)
    assert bars.symbol == "AAPL"
    assert [bars.time_at(row) for row in range(3)] == CLOSES
    assert (bars.open.tolist(), bars.high.tolist()) == ([10.0] * 3, [12.0] * 3)
    assert (bars.low.tolist(), bars.close.tolist()) == ([9.0] * 3, [10.0, 11.0, 12.0])
    assert bars.volume.tolist() == [1000.0, 2000.0, 3000.0]


DAYS = [date(2008, 3, 6), date(2008, 3, 7), date(2008, 3, 10)]


@pytest.mark.parametrize(
    "dates",
    [
        [str(day) for day in DAYS],
        DAYS,
        pd.to_datetime(DAYS),
        pd.to_datetime(DAYS).tz_localize("America/New_York"),
    ],
    ids=["text", "date", "timestamp", "timestamp with a zone"],
)
def test_bars_come_from_a_parquet_file_whatever_its_dates_are(
    folder: Path, market: FolderMarket, dates: object
) -> None:
    frame().assign(Date=dates).to_parquet(folder / "AAPL.parquet")
    bars = market.bars("AAPL", LATER)
    assert [bars.time_at(row) for row in range(3)] == CLOSES
    assert bars.close.tolist() == [10.0, 11.0, 12.0]


def test_the_dates_of_a_parquet_file_may_be_its_index(folder: Path, market: FolderMarket) -> None:
    frame().set_index("Date").to_parquet(folder / "AAPL.parquet")
    assert closes(market) == [10.0, 11.0, 12.0]


@pytest.mark.parametrize(
    "head",
    [
        "date,close,volume,open,low,high,adj close",
        "DATE,CLOSE,VOLUME,OPEN,LOW,HIGH,ADJ CLOSE",
        "Date, Close , Volume,Open,Low,High,Adj_Close",
        "Date,Close,Volume,Open,Low,High,Adjusted Close",
        "Date,Close,Volume,Open,Low,High,AdjClose",
        "Date,Close*,Volume,Open,Low,High,Adj Close**",
        "\ufeffDate,Close,Volume,Open,Low,High,Adj Close",
    ],
)
def test_columns_may_have_any_case_and_order(folder: Path, market: FolderMarket, head: str) -> None:
    (folder / "AAPL.csv").write_text(f"{head}\n2008-03-06,11,1000,10,9,12,5.5\n", "utf-8")
    bars = market.bars("AAPL", LATER)
    assert (bars.open.tolist(), bars.high.tolist()) == ([5.0], [6.0])
    assert (bars.low.tolist(), bars.close.tolist()) == ([4.5], [5.5])
    assert bars.volume.tolist() == [2000.0]


def test_further_columns_are_ignored(folder: Path, market: FolderMarket) -> None:
    frame().assign(Dividends="none", Remark=None).to_csv(folder / "AAPL.csv")
    assert closes(market) == [10.0, 11.0, 12.0]


def test_a_split_in_mid_history_leaves_no_jump(folder: Path, market: FolderMarket) -> None:
    traded = {"Open": [100.0, 110.0, 12.0], "High": [120.0, 120.0, 13.0], "Low": [90.0, 90.0, 11.0]}
    split = frame().assign(**traded, Close=[100.0, 110.0, 12.0])
    split["Adj Close"] = [10.0, 11.0, 12.0]
    split.to_csv(folder / "AAPL.csv", index=False)
    bars = market.bars("AAPL", LATER)
    assert bars.close.tolist() == [10.0, 11.0, 12.0]
    assert bars.high.tolist() == [12.0, 12.0, 13.0]
    assert bars.volume.tolist() == [10_000.0, 20_000.0, 3000.0]


def test_new_rows_are_read_at_once(folder: Path, market: FolderMarket) -> None:
    (folder / "AAPL.csv").write_text(HEAD + "2008-03-06,10,12,9,10,1000\n")
    assert closes(market) == [10.0]
    (folder / "AAPL.csv").write_text(HEAD + ROWS)
    assert closes(market) == [10.0, 11.0, 12.0]


def test_the_symbols_are_the_files(folder: Path, market: FolderMarket) -> None:
    for name in ("msft.CSV", "BRK.B.csv", "btcusd.parquet", "README.md", "._AAPL.csv", ".csv"):
        (folder / name).touch()
    assert market.symbols == ("BRK.B", "BTC-USD", "MSFT")


@pytest.mark.parametrize(
    "names", [("AAPL.csv", "AAPL.parquet"), ("AAPL.csv", "aapl.csv"), ("BTC-USD.csv", "BTCUSD.csv")]
)
def test_two_files_of_one_symbol_are_refused(
    folder: Path, market: FolderMarket, names: tuple[str, str]
) -> None:
    for name in names:
        (folder / name).write_text(HEAD + ROWS)
    with pytest.raises(FeedError, match="have the same symbol: remove one of them") as raised:
        market.bars("AAPL", LATER)
    assert all(str(folder / name) in str(raised.value) for name in names)


def test_the_error_of_an_unknown_symbol_lists_the_known_ones(
    folder: Path, market: FolderMarket
) -> None:
    for name in ("MSFT.csv", "AAPL.parquet"):
        (folder / name).touch()
    for ask in (lambda: market.bars("TSLA", LATER), lambda: market.quote("TSLA")):
        with pytest.raises(UnknownSymbol, match="'TSLA'; there are: AAPL, MSFT"):
            ask()


@pytest.mark.parametrize("name", ["AAPL.csv", "AAPL.parquet"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"\x00\xff\xfe\x80" * 100,
        bytes(range(256)) * 10,
        b"<html><body>Please log in, or sign up</body></html>",
        b"PAR1",
        "Date;Open;High;Low;Close;Volume\n".encode("utf-16"),
        (HEAD + "2008-03-06,10,12,9\n").encode(),
        (HEAD + "2008-03-06,10,12,9,10,1000,7,8\n").encode(),
    ],
    ids=["empty", "blank", "binary", "every byte", "HTML", "torn", "UTF-16", "short row", "long"],
)
def test_the_error_names_a_file_without_valid_bars(
    folder: Path, market: FolderMarket, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    assert refused(market).startswith(f"{folder / name}: ")


def test_a_file_that_cannot_be_read_is_named(folder: Path, market: FolderMarket) -> None:
    (folder / "AAPL.csv").symlink_to(folder / "nowhere.csv")
    assert refused(market).startswith(f"{folder / 'AAPL.csv'}: it cannot be read: ")


def test_a_bad_row_is_reported_with_file_symbol_and_date(
    folder: Path, market: FolderMarket
) -> None:
    (folder / "AAPL.csv").write_text(HEAD + ROWS + "2008-03-11,10,12,9,null,1000\n")
    message = refused(market)
    assert message == f"{folder / 'AAPL.csv'}: AAPL 2008-03-11: close is 'nan', not a number"


def test_columns_that_differ_only_in_case_are_refused(folder: Path, market: FolderMarket) -> None:
    frame().assign(close=1.0).to_csv(folder / "AAPL.csv")
    assert "the columns close appear twice" in refused(market)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_without_rows_has_no_bars_and_no_price(
    folder: Path, market: FolderMarket, ending: str
) -> None:
    empty = frame()[:0]
    empty.to_csv(folder / "AAPL.csv") if ending == "csv" else empty.to_parquet(
        folder / "AAPL.parquet"
    )
    assert closes(market) == []
    assert market.quote("AAPL") is None


def test_the_error_of_a_missing_folder_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"nowhere is not a folder: set MARKET_FOLDER") as raised:
        FolderMarket(tmp_path / "nowhere")
    assert str(tmp_path) in str(raised.value)
    (tmp_path / "file").touch()
    with pytest.raises(FeedError, match="file is not a folder"):
        FolderMarket(tmp_path / "file")


def test_the_error_of_a_removed_folder_names_the_setting(
    folder: Path, market: FolderMarket
) -> None:
    folder.rmdir()
    with pytest.raises(FeedError, match=r"bars cannot be read: .*Check MARKET_FOLDER"):
        market.bars("AAPL", LATER)


def test_no_bar_is_shown_before_it_closed(folder: Path, market: FolderMarket) -> None:
    (folder / "AAPL.csv").write_text(HEAD + ROWS)
    for row, close in enumerate(CLOSES):
        assert len(market.bars("AAPL", close - INSTANT)) == row
        assert len(market.bars("AAPL", close)) == row + 1


def test_no_bar_is_shown_that_closed_before_the_start(folder: Path, market: FolderMarket) -> None:
    (folder / "AAPL.csv").write_text(HEAD + ROWS)
    assert market.bars("AAPL", LATER, CLOSES[1]).close.tolist() == [11.0, 12.0]
    assert market.bars("AAPL", LATER, CLOSES[1] + INSTANT).close.tolist() == [12.0]
    assert market.bars("AAPL", CLOSES[1], CLOSES[1]).close.tolist() == [11.0]


@pytest.mark.parametrize(
    ("now", "price", "row"),
    [(LATER, 12.0, 2), (CLOSES[2], 12.0, 2), (CLOSES[2] - INSTANT, 11.0, 1)],
)
def test_the_price_is_the_last_close_that_was_known(
    folder: Path, now: datetime, price: float, row: int
) -> None:
    (folder / "AAPL.csv").write_text(HEAD + ROWS)
    market = FolderMarket(folder, clock=lambda: now)
    assert market.now() == now
    assert market.quote("AAPL") == Quote(price, CLOSES[row])


def test_crypto_trades_on_weekends_and_its_days_end_at_midnight(
    folder: Path, market: FolderMarket, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "2008-03-08,10,12,9,10,1000\n2008-03-09,10,12,9,11,0.5\n"
    (folder / "BTC-USD.csv").write_text(HEAD + rows)
    bars = market.bars("BTC-USD", LATER)
    assert (bars.symbol, bars.close.tolist()) == ("BTC-USD", [10.0, 11.0])
    assert bars.time_at(-1) == datetime(2008, 3, 10, tzinfo=UTC)
    assert not caplog.records


def test_stocks_trade_on_the_exchange_that_is_given(folder: Path) -> None:
    (folder / "VOD.csv").write_text(HEAD + "2008-07-04,10,12,9,10,1000\n")  # a holiday in New York
    there = FolderMarket(folder, "XLON", clock=lambda: LATER)
    bars = there.bars("VOD", datetime(2008, 7, 5, tzinfo=UTC))
    assert bars.time_at(-1) == datetime(2008, 7, 4, 15, 30, tzinfo=UTC)


def test_irregular_rows_are_logged(
    folder: Path, market: FolderMarket, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "AAPL.csv").write_text(HEAD + ROWS.replace("2008-03-07", "2008-03-08"))
    assert closes(market) == [10.0, 12.0]
    (logged,) = caplog.records
    assert logged.levelno == logging.WARNING
    assert logged.getMessage() == (
        "AAPL: 1 sessions have no bar (2008-03-07); "
        "1 bars were left out: no session on their day (2008-03-08)"
    )


WEEK = "".join(f"2008-03-{day:02d},10,12,9,10,1000\n" for day in range(3, 17))


def test_fault_59_a_file_with_weekend_bars_is_of_a_market_that_never_closes(
    folder: Path, market: FolderMarket, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "NEWCOIN.csv").write_text(HEAD + WEEK)
    bars = market.bars("NEWCOIN", datetime(2008, 4, 1, tzinfo=UTC))
    assert len(bars) == 14
    assert market.is_always_open("NEWCOIN")
    assert bars.is_always_open("NEWCOIN")
    assert not caplog.records


def test_stray_rows_of_a_weekend_do_not_open_a_stocks_market(
    folder: Path, market: FolderMarket
) -> None:
    days = [f"2008-{month:02d}-{day:02d}" for month in (2, 3) for day in range(3, 29)]
    rows = [day for day in days if date.fromisoformat(day).weekday() < 5]
    strays = ["2008-02-09", "2008-02-10"]
    text = "".join(f"{day},10,12,9,10,1000\n" for day in sorted(rows + strays))
    (folder / "AAPL.csv").write_text(HEAD + text)
    bars = market.bars("AAPL", datetime(2008, 4, 1, tzinfo=UTC))
    assert not market.is_always_open("AAPL")
    assert not bars.is_always_open("AAPL")


def test_a_file_that_is_not_there_shows_no_weekend(market: FolderMarket) -> None:
    assert not market.is_always_open("AAPL")


@pytest.mark.parametrize(
    ("file", "asked"),
    [("BRK-B", "BRK.B"), ("EURUSD=X", "EUR/USD"), ("^GSPC", "SPX"), ("AAPL.US", "NASDAQ:AAPL")],
)
def test_a_file_is_found_by_any_spelling_of_its_instrument(
    folder: Path, market: FolderMarket, file: str, asked: str
) -> None:
    (folder / f"{file}.csv").write_text(HEAD + ROWS)
    assert closes(market, asked) == [10.0, 11.0, 12.0]


def test_fault_60_a_day_of_forex_ends_at_17_in_new_york(folder: Path, market: FolderMarket) -> None:
    (folder / "EURUSD.csv").write_text(HEAD + "2008-07-04,1,2,0.5,1,0\n")  # a holiday of stocks
    bars = market.bars("EUR-USD", datetime(2008, 7, 10, tzinfo=UTC))
    assert bars.time_at(-1) == datetime(2008, 7, 4, 21, tzinfo=UTC)
