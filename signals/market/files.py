"""A folder of daily bars: one CSV or Parquet file for each symbol."""

from datetime import datetime
from pathlib import Path

import pandas as pd

from signals.clock import Clock, utc_now
from signals.market.bars import BadBars, Bars
from signals.market.daily import daily_bars
from signals.market.hours import hours_of
from signals.market.instruments import instrument, normalised
from signals.market.protocol import FeedError, Quote, UnknownSymbol

Stamp = tuple[int, int, int]
ENDINGS = (".csv", ".parquet")
ADJUSTED_CLOSE = ("adjclose", "adjustedclose")


class FolderMarket:
    """Files named `SYMBOL.csv` or `SYMBOL.parquet`, read again when they have changed.

    The columns, in any case and order: Date (YYYY-MM-DD), Open, High, Low, Close, Volume, and
    optionally Adj Close, which adjusts for splits and dividends. Other columns are ignored. Gaps,
    duplicates and other irregularities are logged as a warning. `exchange` is the calendar of the
    stocks' sessions. The latest price is the last close.

    Raises `FeedError` if `folder` is not a folder.
    """

    def __init__(self, folder: Path, exchange: str = "XNYS", clock: Clock = utc_now) -> None:
        if not folder.is_dir():
            raise FeedError(f"{folder} is not a folder: set MARKET_FOLDER to the folder of bars")
        self.now = clock
        self._logged: dict[str, str] = {}
        self._read: dict[Path, tuple[Stamp, Bars]] = {}
        self._folder = folder
        self._exchange = exchange

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that have a file, sorted."""
        return tuple(sorted(self._files()))

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        """Return the bars of the symbol's file that closed from `since` to `upto`.

        Raises `UnknownSymbol` if it has no file, `BadBars` if the file is invalid, and `FeedError`
        if the folder cannot be read or has two files of one symbol.
        """
        files = self._files()
        if symbol not in files:
            raise UnknownSymbol(symbol, tuple(sorted(files)))
        return self._bars(symbol, files[symbol]).between(since, upto)

    def quote(self, symbol: str) -> Quote | None:
        """Return the last close; None without bars. Raises the same errors as `bars`."""
        return Quote.last_close(self.bars(symbol, self.now()))

    def _bars(self, symbol: str, path: Path) -> Bars:
        stamp = _stamp(path)
        before = self._read.get(path)
        if before is None or before[0] != stamp:
            hours = hours_of(instrument(symbol), self._exchange)
            try:
                bars, findings = daily_bars(symbol, _rows(path), hours)
            except BadBars as error:
                raise BadBars(f"{path}: {error}") from error
            findings.log(self._logged)
            self._read[path] = (stamp, bars)
        return self._read[path][1]

    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in self._paths():
            other = found.setdefault(normalised(path.stem), path)
            if other != path:
                raise FeedError(f"{other} and {path} have the same symbol: remove one of them")
        return found

    def _paths(self) -> list[Path]:
        """Return the files of bars, without hidden ones: some systems add `._AAPL.csv`."""
        try:
            there = sorted(self._folder.iterdir())
        except OSError as error:
            raise FeedError(
                f"{self._folder} cannot be read: {error.strerror}. Check MARKET_FOLDER."
            ) from error
        return [
            path
            for path in there
            if path.suffix.lower() in ENDINGS and not path.name.startswith(".")
        ]


def _stamp(path: Path) -> Stamp:
    """Return values that change when the file changes."""
    try:
        found = path.stat()
    except OSError as error:
        raise BadBars(f"{path}: it cannot be read: {error.strerror}") from error
    return found.st_mtime_ns, found.st_size, found.st_ino


def _rows(path: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    except Exception as error:  # the readers may raise anything
        raise BadBars(f"it cannot be read: {error}") from error
    if rows.index.name:  # a Parquet file's index column, mostly the date
        rows = rows.reset_index()
    return rows.rename(columns=_column)


def _column(name: object) -> str:
    """Return Argo's name for a column. `Adj Close` has many spellings, and must not be missed."""
    letters = "".join(filter(str.isalpha, str(name).lower()))
    return "adj_close" if letters in ADJUSTED_CLOSE else letters
