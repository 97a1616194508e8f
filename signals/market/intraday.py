"""A folder of bars that are shorter than a day: one CSV or Parquet file for each symbol."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from signals.market.bar_files import files_of, rows_of
from signals.market.bars import BadBars, Column, Times
from signals.market.instruments import Instrument, instrument
from signals.market.protocol import FeedError, UnknownSymbol

TIMES = ("datetime", "timestamp", "time", "date")
"""The names that vendors give to the column of times; the first one that is there counts."""
PRICES = ("open", "high", "low", "close")
WITH_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"
ONE_DAY = np.timedelta64(timedelta(days=1))


class IntradayBars(NamedTuple):
    """The bars of one symbol as they are in its file, oldest first; `began` is in UTC."""

    began: Times
    open: Column
    high: Column
    low: Column
    close: Column


class IntradayFolder:
    """Files named `SYMBOL.csv` or `SYMBOL.parquet`, each read when it is asked for.

    The columns, in any case and order: Time (or Datetime, Timestamp, Date), which is when a bar
    begins, with an offset; Open, High, Low, Close. Other columns are ignored. `find` returns the
    instrument for a spelling.

    Raises `FeedError` if the folder cannot be read or has two files of one symbol.
    """

    def __init__(self, folder: Path, find: Callable[[str], Instrument] = instrument) -> None:
        if not folder.is_dir():
            raise FeedError(f"{folder} is not a folder: give the folder of the finer bars")
        self.folder = folder
        self._find = find
        self._files = files_of(folder, find, "Check the folder of the finer bars.")

    def bars(self, symbol: str) -> IntradayBars:
        """Return the bars of the symbol's file.

        Raises `UnknownSymbol` if it has no file, and `BadBars` if the file is invalid.
        """
        path = self._files.get(self._find(symbol).symbol)
        if path is None:
            raise UnknownSymbol(symbol, tuple(sorted(self._files)))
        try:
            return _bars(rows_of(path))
        except BadBars as error:
            raise BadBars(f"{path}: {error}") from error


def _bars(rows: pd.DataFrame) -> IntradayBars:
    began = _times(rows)
    order = np.argsort(began, kind="stable")
    columns = (_prices(rows, name)[order] for name in PRICES)
    found = IntradayBars(began[order], *columns)
    _check_steps(found.began)
    return found


def _times(rows: pd.DataFrame) -> Times:
    """Return when each bar began. Raises `BadBars` if a time is missing or has no offset."""
    name = next((each for each in TIMES if each in rows.columns), None)
    if name is None:
        raise BadBars(f"a column Time is missing; there are: {', '.join(map(str, rows.columns))}")
    column = rows[name]
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        texts = column.astype(str)
        if not (good := texts.str.contains(WITH_OFFSET)).all():
            raise BadBars(
                f"{texts[~good].iloc[0]!r} is not a time with an offset, as in 2025-01-15T14:30:00Z"
            )
        try:
            column = pd.to_datetime(texts, utc=True, format="ISO8601")
        except ValueError as error:
            raise BadBars(f"{name}: {error}") from error
    found: Times = column.dt.tz_convert(None).to_numpy().astype("datetime64[us]")
    return found


def _prices(rows: pd.DataFrame, name: str) -> Column:
    """Return a column of prices; what is not a number is NaN. Raises `BadBars` without one."""
    if list(rows.columns).count(name) != 1:
        raise BadBars(f"it needs one column {name.capitalize()}")
    found: Column = pd.to_numeric(rows[name], errors="coerce").to_numpy(np.float64)
    return found


def _check_steps(began: Times) -> None:
    steps = np.diff(began)
    if len(steps) and steps.min() == np.timedelta64(0):
        raise BadBars(f"two bars begin at {began[:-1][steps == np.timedelta64(0)][0]}Z")
    if len(steps) and steps.min() >= ONE_DAY:
        raise BadBars("its bars are not shorter than a day")
