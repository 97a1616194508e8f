"""A folder of bars that are shorter than a day."""

from pathlib import Path

import pandas as pd
import pytest

from signals.market.bars import BadBars
from signals.market.intraday import IntradayFolder
from signals.market.protocol import FeedError, UnknownSymbol

HEAD = "Datetime,Open,High,Low,Close,Volume\n"
LATER = "2025-03-10 09:30:00-04:00,100,101,99,100,9\n"
EARLIER = "2025-03-07 09:30:00-05:00,98,99,97,98,9\n"


def began(folder: Path, symbol: str = "AAPL") -> list[str]:
    return [str(each) for each in IntradayFolder(folder).bars(symbol).began]


def test_bars_begin_at_their_instant_whatever_the_offset_of_the_season(tmp_path: Path) -> None:
    (tmp_path / "AAPL.csv").write_text(HEAD + LATER + EARLIER + EARLIER.replace("09:", "10:"))
    assert began(tmp_path) == [
        "2025-03-07T14:30:00.000000", "2025-03-07T15:30:00.000000", "2025-03-10T13:30:00.000000",
    ]  # fmt: skip
    assert IntradayFolder(tmp_path).bars("NASDAQ:AAPL").open.tolist() == [98, 98, 100]


def test_a_parquet_file_may_have_times_of_a_zone_as_its_index(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"Open": [1.0], "High": [2.0], "Low": [1.0], "Close": [2.0]},
        index=pd.DatetimeIndex(["2025-03-10 09:30"], tz="America/New_York", name="time"),
    )
    rows.to_parquet(tmp_path / "AAPL.parquet")
    assert began(tmp_path) == ["2025-03-10T13:30:00.000000"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD + LATER.replace("-04:00", ""), "is not a time with an offset"),
        (HEAD + LATER.replace("2025-03-10 09:30:00", "soon"), "Datetime|datetime: "),
        (HEAD + LATER + LATER, "two bars begin at 2025-03-10T13:30:00"),
        (HEAD + LATER + EARLIER.replace("09:30:00-05:00", "13:30:00-00:00"), "shorter than a day"),
        (HEAD.replace("Low", "Lowest") + LATER, "it needs one column Low"),
        (HEAD.replace("Datetime", "When") + LATER, "a column Time is missing; there are: when"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "AAPL.csv").write_text(text)
    with pytest.raises(BadBars, match=why) as error:
        began(tmp_path)
    assert str(tmp_path / "AAPL.csv") in str(error.value)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownSymbol, match="IBM"):
        began(tmp_path, "IBM")
    with pytest.raises(FeedError, match="is not a folder"):
        IntradayFolder(tmp_path / "nothing")
