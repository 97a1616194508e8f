"""Bad market data: no signal comes from impossible bars, and the other symbols are not affected."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from signals.generation import factory
from signals.generation.service import SignalGenerationService, SymbolResult
from signals.generation.votes import Direction
from signals.market.files import FolderMarket
from signals.market.hours import exchange_hours
from signals.models import CandidateRecord, Signal
from signals.tracker import SignalTracker
from tests.signals.generation.pipelines import always
from tests.signals.market.builders import random_walk

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = exchange_hours("XNYS").days(date(2011, 1, 3), date(2012, 3, 2))
NOW = datetime(2012, 3, 2, 21, tzinfo=UTC)
Spoil = Callable[[pd.DataFrame], pd.DataFrame]


def rows() -> pd.DataFrame:
    closes = random_walk(len(DAYS), seed=11)
    return pd.DataFrame(
        {
            "Date": [str(day) for day in DAYS],
            "Open": closes,
            "High": [close * 1.01 for close in closes],
            "Low": [close * 0.99 for close in closes],
            "Close": closes,
            "Volume": 1000.0,
        }
    )


def with_value(column: str, value: object) -> Spoil:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object})
        frame.loc[200, column] = value
        return frame

    return spoil


def split(frame: pd.DataFrame) -> pd.DataFrame:
    """Divide the prices by ten from row 150 on."""
    for column in ("Open", "High", "Low", "Close"):
        frame.loc[150:, column] /= 10
    return frame


def split_and_adjusted(frame: pd.DataFrame) -> pd.DataFrame:
    adjusted = frame["Close"] / 10
    return split(frame).assign(**{"Adj Close": adjusted})


def jump(frame: pd.DataFrame) -> pd.DataFrame:
    """Multiply the prices of one bar by ten."""
    for column in ("Open", "High", "Low", "Close"):
        frame.loc[250, column] *= 10
    return frame


def cycle(folder: Path, spoil: Spoil) -> SymbolResult:
    """Run a cycle over a spoilt symbol and a good one, which must get its signal."""
    spoil(rows()).to_csv(folder / "BAD.csv", index=False)
    rows().to_csv(folder / "GOOD.csv", index=False)
    market = FolderMarket(folder, clock=lambda: NOW)
    tracker = SignalTracker(origin="generator", clock=market.now)
    bad, good = SignalGenerationService(market, always(Direction.BUY), tracker).run_cycle(
        ["BAD", "GOOD"]
    )
    tracker.flush()
    assert Signal.objects.get(symbol="GOOD").signal_id == good.signal_id
    return bad


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Close", None),
        ("Close", "NaN"),
        ("High", "n/a"),
        ("Close", 0),
        ("Open", 0.0),
        ("Low", -3.5),
        ("Volume", -1),
        ("Close", "inf"),
        ("Date", "2011-02-30"),
        ("High", 0.01),  # below the other prices
    ],
)
def test_an_impossible_value_is_refused_with_its_symbol_and_date(
    column: str, value: object, tmp_path: Path
) -> None:
    bad = cycle(tmp_path, with_value(column, value))
    assert bad.error is not None
    assert "BAD" in bad.error
    assert str(value if column == "Date" else DAYS[200]) in bad.error
    assert not Signal.objects.filter(symbol="BAD").exists()


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    def twice(frame: pd.DataFrame) -> pd.DataFrame:
        other = frame.iloc[[200]].assign(Volume=5.0)
        return pd.concat([frame, other])

    bad = cycle(tmp_path, twice)
    assert bad.error is not None
    assert str(DAYS[200]) in bad.error


@pytest.mark.parametrize(
    ("spoil", "warning"),
    [
        (lambda frame: frame.drop(index=200), "1 sessions have no bar"),
        (lambda frame: pd.concat([frame, frame.iloc[[200]]]), "1 days appear more than once"),
        (lambda frame: frame[::-1], "not in time order"),
    ],
    ids=["a missing bar", "a duplicate", "unordered"],
)
def test_an_irregular_feed_is_reported_and_the_signal_is_made(
    spoil: Spoil, warning: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = cycle(tmp_path, spoil)
    assert bad.signal_id is not None
    assert any("BAD" in line and warning in line for line in caplog.messages)


@pytest.mark.parametrize("spoil", [jump, split], ids=["a tenfold jump", "a split"])
def test_a_jump_is_rejected_and_kept(spoil: Spoil, tmp_path: Path) -> None:
    bad = cycle(tmp_path, spoil)
    assert [why.code for why in bad.reasons] == ["jump"]
    assert CandidateRecord.objects.get(symbol="BAD").rejected_for == "jump"
    assert not Signal.objects.filter(symbol="BAD").exists()


def test_an_adjusted_split_is_not_a_jump(tmp_path: Path) -> None:
    bad = cycle(tmp_path, split_and_adjusted)
    good = Signal.objects.get(symbol="GOOD")
    bad_signal = Signal.objects.get(signal_id=bad.signal_id)
    assert bad_signal.entry_price == pytest.approx(good.entry_price / 10)


def test_the_real_sources_propose_nothing_on_15_bars(tmp_path: Path) -> None:
    rows()[-15:].to_csv(tmp_path / "NEW.csv", index=False)
    market = FolderMarket(tmp_path, clock=lambda: NOW)
    tracker = SignalTracker(origin="generator", clock=market.now)
    (result,) = SignalGenerationService(market, factory.pipeline(), tracker).run_cycle(["NEW"])
    assert (str(result.regime), result.candidate, result.error) == ("UNKNOWN", None, None)


def test_a_file_without_rows_is_an_error_of_that_symbol(tmp_path: Path) -> None:
    assert cycle(tmp_path, lambda frame: frame[:0]).error == "there are no bars yet"


def test_outdated_files_make_no_signal(tmp_path: Path) -> None:
    rows().to_csv(tmp_path / "OLD.csv", index=False)
    market = FolderMarket(tmp_path, clock=lambda: datetime(2012, 3, 6, 16, tzinfo=UTC))
    tracker = SignalTracker(origin="generator", clock=market.now)
    (result,) = SignalGenerationService(market, always(Direction.BUY), tracker).run_cycle(["OLD"])
    assert [why.code for why in result.reasons] == ["price"]
