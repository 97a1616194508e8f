"""What is replayed or backtested is listed as a trial, each once."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from pytest_django import Settings

from execution.models import Position
from signals.analysis.daily import daily_sharpe
from signals.backtests.trials import Tried, record, trials_on
from signals.market.bars import as_times
from signals.market.sample import SampleMarket
from signals.models import Trial
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FIRST, LAST = datetime(2025, 1, 6, tzinfo=UTC), datetime(2025, 1, 10, tzinfo=UTC)
PERIOD = ("--symbols", "AAPL,IBM", "--from", "2008-01-01", "--to", "2008-12-31")
HEAD = "Date,Open,High,Low,Close,Volume\n"


def try_out(parameters: dict[str, Any], data: str = "d", **changes: Any) -> None:  # noqa: ANN401
    """Record a trial on AAPL in a week of 2025."""
    days = np.arange("2025-01-06", "2025-01-11", dtype="datetime64[D]")
    ended = days[:2].astype("datetime64[us]")
    tried = Tried(["AAPL"], ended[0], days[-1].astype("datetime64[us]"), days, ended,
                  np.array([1.0, 3.0]))  # fmt: skip
    record(Trial.Kind.BACKTEST, parameters, data, tried._replace(**changes), LAST)


def known(symbol: str = "AAPL", first: datetime = FIRST, last: datetime = LAST) -> int:
    return len(trials_on([symbol, "IBM"], first, last))


def test_the_same_on_the_same_data_is_listed_once() -> None:
    for parameters in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 3}):
        try_out(parameters)
    assert Trial.objects.count() == known() == 2


def test_the_same_on_other_data_counts_once_with_its_newest_ratio() -> None:
    try_out({"a": 1})
    try_out({"a": 1}, "longer", results=np.array([1.0, 1.5]))
    assert Trial.objects.count() == 2
    ((_, _, sharpe),) = trials_on(["AAPL"], FIRST, LAST)
    assert sharpe == Trial.objects.get(data_sha256="longer").sharpe


@pytest.mark.parametrize(
    ("symbol", "first", "last", "count"),
    [
        ("AAPL", FIRST, LAST, 1),
        ("MSFT", FIRST, LAST, 0),
        ("AAPL", LAST + DAY, LAST + 2 * DAY, 0),
        ("AAPL", FIRST - 2 * DAY, FIRST - DAY, 0),
        ("AAPL", LAST, LAST + DAY, 1),
    ],
)
def test_a_trial_counts_for_its_symbols_and_its_time(
    symbol: str, first: datetime, last: datetime, count: int
) -> None:
    try_out({})
    assert known(symbol, first, last) == count


def test_what_was_tried_later_was_not_known_then() -> None:
    try_out({})
    assert trials_on(["AAPL"], FIRST, LAST, as_of=LAST - DAY) == []
    assert len(trials_on(["AAPL"], FIRST, LAST, as_of=LAST)) == 1


def test_without_data_there_is_no_trial() -> None:
    try_out({}, first=np.datetime64("NaT", "us"))
    assert not Trial.objects.exists()


def test_a_replay_is_a_trial_of_its_recipe_and_a_repeat_is_none(settings: Settings) -> None:
    for symbols in ("AAPL,IBM", "IBM,AAPL"):
        call_command("replay", "--symbols", symbols, *PERIOD[2:], stdout=StringIO())
    trial = Trial.objects.get()
    assert (trial.kind, trial.symbols) == ("replay", ["AAPL", "IBM"])
    assert (trial.first_bar.date().isoformat(), trial.last_bar.date().isoformat()) == (
        "2008-01-02", "2008-12-31",
    )  # fmt: skip
    assert trial.parameters["recipe"]["MIN_CONFIDENCE"] == settings.MIN_CONFIDENCE
    assert trial.parameters["account"] is None
    assert trial.trades > 10
    assert trial.sharpe is not None
    call_command("replay", "--min-confidence", "70", *PERIOD, stdout=StringIO())
    assert [each.sharpe for each in trials_on(["IBM"], FIRST - 6000 * DAY, FIRST)] != [
        trial.sharpe
    ] * 2


def test_a_replay_on_an_account_counts_its_own_trades_unless_another_one_went_further() -> None:
    period = ("--symbols", "IBM", "--from", "2008-01-01", "--to", "2008-12-31")
    for _ in range(2):
        call_command("replay", "--execute", *period, stdout=StringIO())
    first = Trial.objects.get()
    closed = Position.objects.filter(status="closed").values_list("closed_at", "profit")
    ended, profits = zip(*closed, strict=True)
    assert first.trades == len(profits) > 3
    assert first.parameters["account"]["deposit"] == "100000"
    days = np.unique(SampleMarket().bars("IBM").time.astype("datetime64[D]"))
    days = days[days >= np.datetime64(first.first_bar.date(), "D")]
    assert first.sharpe == pytest.approx(
        daily_sharpe(as_times(ended), np.array(profits, float), days)
    )
    call_command("replay", "--execute", "--min-confidence", "50", *period, stdout=StringIO())
    other = Trial.objects.exclude(pk=first.pk).get()
    assert other.trades > first.trades, "each of its signals by itself: the account had moved on"
    later = ("--symbols", "AAPL", "--from", "2009-01-02", "--to", "2009-06-30")
    call_command("replay", "--execute", *later, stdout=StringIO())
    of_aapl = Position.objects.filter(status="closed", symbol="AAPL").count()
    assert Trial.objects.latest("pk").trades == of_aapl > 0


def test_a_backtest_is_a_trial_with_the_hashes_of_its_file(
    tmp_path: Path, settings: Settings
) -> None:
    prices = (100, 100, 104, 108, 112) * 2
    rows = [f"2025-01-{13 + day},{price},{price + 1},{price - 1},{price},9"
            for day, price in enumerate(prices)]  # fmt: skip
    (tmp_path / "AAPL.csv").write_text(HEAD + "\n".join(rows) + "\n")
    made = [
        a_signal(symbol="AAPL", entry_price=100.0, target_price=110.0, stop_price=95.0,
                 timestamp=f"2025-01-{day}T10:30:00Z") for day in (13, 17)
    ]  # fmt: skip
    SignalTracker("api").log_signals(made)
    for delay in ("0", "1", "1"):
        call_command(
            "backtest_signals", "--bars", str(tmp_path), "--delay", delay, stdout=StringIO()
        )
    trials = list(Trial.objects.order_by("pk"))
    assert [each.parameters["rules"]["delay"] for each in trials] == [0, 1]
    assert all(each.trades == 2 and each.sharpe is not None for each in trials)
    names = sorted(path.name for path in (settings.DATA_DIR / "backtests").iterdir())
    assert trials[0].parameters_sha256[:12] in names[0]
    assert trials[0].symbols == ["AAPL"]
    assert trials[0].first_bar.isoformat() == "2025-01-13T10:30:00+00:00"
