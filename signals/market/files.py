"""A folder of daily bars: one CSV or Parquet file for each symbol."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from signals.clock import Clock, utc_now
from signals.market import split_columns
from signals.market.actions import ListedAction
from signals.market.bar_files import files_of, rows_of
from signals.market.bars import BadBars, Bars
from signals.market.daily import daily_bars, days_of
from signals.market.hours import ALWAYS_OPEN, TradingHours, hours_of
from signals.market.instruments import HOME, NOT_KNOWN, Instrument, instrument
from signals.market.protocol import FeedError, Quote, UnknownSymbol

Stamp = tuple[int, int, int]
SATURDAY = 5
WEEKEND_SHARE = 0.2
"""At least this share of the bars is of weekends if the market never closes: then it is 2/7."""


class FolderMarket:
    """Files named `SYMBOL.csv` or `SYMBOL.parquet`, read again when they have changed.

    The columns, in any case and order: Date (YYYY-MM-DD), Open, High, Low, Close, Volume, and
    optionally Adj Close, which adjusts for splits and dividends, Stock Splits and Dividends: new
    shares for one old share (`4`, `0.1` or `1:10`), and money for a share. Prices that jump at
    such a split are adjusted for it. Other columns are ignored. Gaps,
    duplicates and other irregularities are logged as a warning. `exchange` is the calendar of the
    stocks' sessions. The latest price is the last close. `find` returns the instrument for a
    spelling: a file and a caller may spell it differently.

    A file whose bars go on at weekends is of a market that never closes, unless the symbol's
    hours are known for certain.

    Raises `FeedError` if `folder` is not a folder.
    """

    def __init__(
        self,
        folder: Path,
        exchange: str = "XNYS",
        clock: Clock = utc_now,
        find: Callable[[str], Instrument] = instrument,
    ) -> None:
        if not folder.is_dir():
            raise FeedError(f"{folder} is not a folder: set MARKET_FOLDER to the folder of bars")
        self.now = clock
        self._logged: dict[str, str] = {}
        self._read: dict[Path, _File] = {}
        self._weekends: set[str] = set()
        self._find = find
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
        return self._file(symbol).bars.between(since, upto)

    def is_adjusted(self, symbol: str) -> bool:
        """Return True if the symbol's file has an adjusted close, or a column of splits.

        Raises the same errors as `bars`.
        """
        return self._file(symbol).is_adjusted

    def actions(self, symbol: str, since: datetime, upto: datetime) -> list[ListedAction]:
        """Return the splits and dividends of the symbol's file, oldest first, with `since` <
        `ex_at` <= `upto`. Raises the same errors as `bars`."""
        return [each for each in self._file(symbol).actions if since < each.ex_at <= upto]

    def quote(self, symbol: str) -> Quote | None:
        """Return the last close; None without bars. Raises the same errors as `bars`."""
        return Quote.last_close(self.bars(symbol, self.now()))

    def is_always_open(self, symbol: str) -> bool:
        """Return True if the symbol's file has bars of weekends; False without a good file."""
        with suppress(UnknownSymbol, BadBars, FeedError):
            self._file(symbol)
        return self._find(symbol).symbol in self._weekends

    def _file(self, symbol: str) -> "_File":
        files, name = self._files(), self._find(symbol).symbol
        if name not in files:
            raise UnknownSymbol(symbol, tuple(sorted(files)))
        return self._known_file(name, files[name])

    def _known_file(self, symbol: str, path: Path) -> "_File":
        stamp = _stamp(path)
        before = self._read.get(path)
        if before is None or before.stamp != stamp:
            try:
                self._read[path] = self._parsed(symbol, stamp, rows_of(path))
            except BadBars as error:
                raise BadBars(f"{path}: {error}") from error
        return self._read[path]

    def _parsed(self, symbol: str, stamp: Stamp, rows: pd.DataFrame) -> "_File":
        hours = self._hours(symbol, rows)
        bars, findings = daily_bars(symbol, rows, hours)
        actions = split_columns.actions_of(symbol, rows, bars, hours)
        findings.log(self._logged)
        is_adjusted = not {"adj_close", split_columns.SPLITS}.isdisjoint(rows.columns)
        return _File(stamp, split_columns.without_jumps(bars, actions), actions, is_adjusted)

    def _hours(self, symbol: str, rows: pd.DataFrame) -> TradingHours:
        """Return the symbol's hours; bars of weekends decide where they are only guessed."""
        wanted = self._find(symbol)
        self._weekends.discard(symbol)
        if wanted.hours in (HOME, NOT_KNOWN) and _has_weekends(days_of(symbol, rows)):
            self._weekends.add(symbol)
            return ALWAYS_OPEN
        return hours_of(wanted, self._exchange)

    def _files(self) -> dict[str, Path]:
        return files_of(self._folder, self._find, "Check MARKET_FOLDER.")


class _File(NamedTuple):
    """What was read of a file when it had this stamp."""

    stamp: Stamp
    bars: Bars
    actions: list[ListedAction]
    is_adjusted: bool


def _has_weekends(days: Sequence[date]) -> bool:
    """Return True if both days of the weekend are there, and they are no stray rows."""
    weekend = [day.weekday() for day in days if day.weekday() >= SATURDAY]
    return len(set(weekend)) == 2 and len(weekend) >= WEEKEND_SHARE * len(days)


def _stamp(path: Path) -> Stamp:
    """Return values that change when the file changes."""
    try:
        found = path.stat()
    except OSError as error:
        raise BadBars(f"{path}: it cannot be read: {error.strerror}") from error
    return found.st_mtime_ns, found.st_size, found.st_ino
