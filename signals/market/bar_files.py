"""A folder of bars, one CSV or Parquet file for each symbol: finds and reads the files."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from signals.market import split_columns
from signals.market.bars import BadBars
from signals.market.instruments import Instrument
from signals.market.protocol import FeedError

ENDINGS = (".csv", ".parquet")
ADJUSTED_CLOSE = ("adjclose", "adjustedclose")


def files_of(folder: Path, find: Callable[[str], Instrument], hint: str) -> dict[str, Path]:
    """Return the file of each symbol; `hint` says what to check if the folder cannot be read.

    Raises `FeedError` if it cannot be read or has two files of one symbol.
    """
    found: dict[str, Path] = {}
    for path in _paths(folder, hint):
        other = found.setdefault(find(path.stem).symbol, path)
        if other != path:
            raise FeedError(f"{other} and {path} have the same symbol: remove one of them")
    return found


def _paths(folder: Path, hint: str) -> list[Path]:
    """Return the files of bars, without hidden ones: some systems add `._AAPL.csv`."""
    try:
        there = sorted(folder.iterdir())
    except OSError as error:
        raise FeedError(f"{folder} cannot be read: {error.strerror}. {hint}") from error
    return [
        path for path in there if path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    ]


def rows_of(path: Path) -> pd.DataFrame:
    """Return the rows of a file; its columns have Argo's names. Raises `BadBars`."""
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
    return "adj_close" if letters in ADJUSTED_CLOSE else split_columns.COLUMNS.get(letters, letters)
