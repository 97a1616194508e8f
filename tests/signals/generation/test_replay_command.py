"""`manage.py replay` fills the ledger from real bars, once, and refuses invalid options."""

import json
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from signals.market.bars import Bars
from signals.market.sample import SampleMarket
from signals.models import CandidateRecord, DeadLetter, Signal
from signals.tracker import SignalTracker
from tests.signals.generation.test_regime import by_hand as regime_by_hand
from tests.signals.generation.test_sources import AGAIN, RULES

pytestmark = pytest.mark.django_db
WEIGHTS = {
    "trend": 0.25, "momentum": 0.25, "breakout": 0.2, "mean reversion": 0.15, "volume": 0.15,
}  # fmt: skip
FACTORS = {"BULL": 1.0, "BEAR": 1.0, "CHOP": 0.95, "CRISIS": 0.85, "UNKNOWN": 0.9}


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("replay", *arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(run(*arguments, "--json"))
    return summary


def rows() -> list[tuple[Any, ...]]:
    return list(Signal.objects.order_by("signal_id").values_list())


def test_all_five_symbols_twice_give_the_identical_ids_and_rows() -> None:
    first, before = run("--from", "2005-01-01", "--to", "2010-12-31"), rows()
    kept = CandidateRecord.objects.count()
    assert run("--from", "2005-01-01", "--to", "2010-12-31") == first
    assert rows() == before
    assert CandidateRecord.objects.count() == kept
    assert len(before) > 200
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize(("symbol", "year"), [("AAPL", "2004"), ("IBM", "2002"), ("MSFT", "2008")])
def test_a_signal_can_be_checked_by_hand_from_the_raw_bars(symbol: str, year: str) -> None:
    """Check votes, agreement, confidence, regime, levels and reasoning without Argo's own code."""
    run("--symbols", symbol, "--from", f"{year}-01-01", "--to", f"{year}-12-31")
    signal = Signal.objects.select_related("context").order_by("timestamp").first()
    assert signal is not None
    bars = _raw(symbol, signal.timestamp)
    cast = {name: RULES[name](AGAIN[name](bars)) for name in WEIGHTS}
    votes = {name: vote for name, vote in cast.items() if vote[0] is not None}
    winning = {name for name, (way, _) in votes.items() if way == signal.action}
    agreement = sum(WEIGHTS[name] for name in winning) / sum(WEIGHTS[name] for name in votes)
    certainty = np.average(
        [votes[name][1] for name in winning], weights=[WEIGHTS[name] for name in winning]
    )
    regime = str(regime_by_hand(bars, len(bars)))

    context = signal.context
    assert context.votes is not None
    assert context.reasoning is not None
    assert [vote["source"] for vote in context.votes] == [
        name.replace(" ", "_") for name in WEIGHTS
    ]
    for vote, (name, (way, confidence)) in zip(context.votes, cast.items(), strict=True):
        assert vote["direction"] == way
        assert vote["weight"] == WEIGHTS[name]
        if way is not None:
            assert vote["confidence"] == pytest.approx(confidence)
            assert vote["figures"] == pytest.approx(AGAIN[name](bars))
            assert f"{vote['source']} {way} at {confidence:.0f}%" in context.reasoning
    assert (context.regime, context.sources) == (regime, len(votes))
    assert context.agreement == pytest.approx(agreement)
    assert signal.confidence == pytest.approx(FACTORS[regime] * agreement**0.5 * certainty)
    assert signal.entry_price == pytest.approx(bars.close[-1])
    sign = 1 if signal.action == "BUY" else -1
    assert signal.target_price == pytest.approx(bars.close[-1] * (1 + sign * 0.05), abs=0.0051)
    assert signal.stop_price == pytest.approx(bars.close[-1] * (1 - sign * 0.03), abs=0.0051)
    assert context.reasoning.startswith(
        f"{signal.action} at {signal.confidence:.1f}% with {agreement:.0%} agreement, "
        f"regime {regime}: "
    )


def _raw(symbol: str, upto: str) -> Bars:
    bars = SampleMarket().bars(symbol)
    return bars.upto(bars.count_through(datetime.fromisoformat(upto).astimezone(UTC)))


def test_the_reported_number_of_signals_is_stored() -> None:
    summary = run_json("--symbols", "MSFT,FB")
    stored = {name: counts["stored"] for name, counts in summary["by_symbol"].items()}
    assert summary["stored"] == sum(stored.values()) == Signal.objects.count() > 100
    assert stored == {name: Signal.objects.filter(symbol=name).count() for name in ("MSFT", "FB")}
    assert not DeadLetter.objects.exists()


def test_signals_are_received_at_the_time_of_their_bar() -> None:
    run("--symbols", "FB")
    times = Signal.objects.values_list("timestamp", "context__received_at", "context__origin")
    assert times
    assert all(time == received and origin == "replay" for time, received, origin in times)


def test_the_days_given_are_included() -> None:
    summary = run_json("--symbols", "IBM", "--from", "2008-03-07", "--to", "2008-03-10")
    assert summary["bars"] == 2, "a Friday and a Monday"


def test_days_outside_the_data_are_ignored() -> None:
    assert run_json("--symbols", "FB", "--from", "0001-01-01", "--to", "9999-12-31")["bars"] == 196
    days = ["--from", "2012-05-18", "--to", str(date(2013, 3, 1))]
    assert run_json("--symbols", "FB", *days)["bars"] == 196


def test_a_higher_minimum_confidence_stores_fewer_signals() -> None:
    run("--symbols", "IBM", "--min-confidence", "85")
    confidences = Signal.objects.values_list("confidence", flat=True)
    assert 0 < len(confidences) < 100
    assert min(confidences) >= 85


def test_rejected_candidates_are_kept_with_every_reason() -> None:
    summary = run_json("--symbols", "FB")
    records = CandidateRecord.objects.all()
    assert len(records) == summary["candidates"]
    for code, count in summary["rejected"].items():
        assert sum(code in each.rejected_for.split() for each in records) == count
    passed = [each.signal_id for each in records if not each.rejected_for]
    assert sorted(filter(None, passed)) == [row[1] for row in rows()]
    assert all(each.reasons for each in records if each.rejected_for)


def test_a_bar_with_a_signal_gets_no_other_signal_of_that_side(settings: Settings) -> None:
    run("--symbols", "IBM", "--from", "2008-01-01", "--to", "2008-12-31")
    before = rows()
    settings.SIGNAL_TARGET = (
        "6%"  # a different pipeline, which makes different signals of the same bars
    )
    summary = run_json("--symbols", "IBM", "--from", "2008-01-01", "--to", "2008-12-31")
    assert summary["rejected"]["bar"] == len(before) > 5
    assert rows() == before


def test_a_live_signal_of_a_bar_is_counted_too() -> None:
    run("--symbols", "AAPL", "--from", "2013-02-01")
    last = Signal.objects.get(timestamp="2013-03-01T21:00:00Z")
    live = {
        name: getattr(last, name)
        for name in ("symbol", "action", "target_price", "stop_price", "confidence", "strategy")
    } | {"entry_price": last.entry_price + 0.01, "timestamp": "2013-03-01T21:00:05Z"}
    SignalTracker("generator").log_signal(live)
    assert run_json("--symbols", "AAPL", "--from", "2013-02-01")["rejected"]["bar"] == 1


def test_ctrl_c_keeps_the_stored_signals_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("signals.management.commands.replay.replay", interrupt)
    with pytest.raises(CommandError, match="Stored signals remain") as raised:
        run("--symbols", "FB")
    assert raised.value.returncode == 1


def test_a_folder_of_files_is_replayed_like_the_sample(tmp_path: Path, settings: Settings) -> None:
    bars = SampleMarket().bars("FB")
    lines = [
        f"{bars.time_at(i).date()},{bars.open[i]!r},{bars.high[i]!r},{bars.low[i]!r},"
        f"{bars.close[i]!r},{bars.volume[i]!r}".replace("np.float64(", "").replace(")", "")
        for i in range(len(bars))
    ]
    (tmp_path / "FB.csv").write_text("\n".join(["Date,Open,High,Low,Close,Volume", *lines, ""]))
    of_sample = run_json("--symbols", "FB")
    settings.MARKET_DATA, settings.MARKET_FOLDER = "files", tmp_path
    assert run_json("--symbols", "FB") == of_sample
    assert Signal.objects.count() == of_sample["stored"], "the same signals, with the same ids"


def test_symbols_may_be_in_any_case_and_are_used_once() -> None:
    assert list(run_json("--symbols", "fb, FB,Fb")["by_symbol"]) == ["FB"]


def test_the_table_has_a_line_for_each_symbol_each_regime_and_the_total() -> None:
    head, *lines = [line.split() for line in run("--symbols", "FB,GOOG").splitlines()]
    assert head == ["bars", "candidates", "confidence", "cooldown", "stored"]
    names = [line[0] for line in lines]
    assert names == ["FB", "GOOG", "BEAR", "BULL", "CHOP", "UNKNOWN", "all"]
    for column in range(1, len(head) + 1):
        counts = [int(line[column]) for line in lines]
        assert counts[0] + counts[1] == sum(counts[2:6]) == counts[6]


def test_without_a_terminal_there_is_no_progress(capfd: pytest.CaptureFixture[str]) -> None:
    run("--symbols", "FB")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--symbols", "MSFT,TSLA"], "'TSLA'; there are: AAPL, FB, GOOG, IBM, MSFT"),
        (["--symbols", " , "], "--symbols: name at least one symbol"),
        (["--from", "2000-02-30"], "--from: '2000-02-30' is not a date"),
        (["--to", "yesterday"], "--to: 'yesterday' is not a date"),
        (["--from", "2010-01-02", "--to", "2010-01-01"], "2010-01-02 to 2010-01-01; there are"),
        (["--from", "2014-01-01", "--to", "2015-01-01"], "there are no bars from 2014"),
        (["--from", "1990-01-01", "--to", "1991-01-01"], "there are no bars from 1990"),
        (["--from", "2014-01-01"], "there are bars from 2000-03-01 to 2013-03-01"),
        (["--min-confidence", "nan"], "nan is not within 0 to 100"),
        (["--min-confidence", "100.5"], "100.5 is not within 0 to 100"),
    ],
)
def test_wrong_usage_is_explained_and_stores_nothing(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        run(*arguments)
    assert refused.value.returncode == 2
    assert not Signal.objects.exists()
