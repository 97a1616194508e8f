"""`backtest_signals`: stored or exported signals against bars, as a person runs it."""

import json
import stat
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from execution.decisions import queue
from execution.models import Decision
from signals.analysis.backtest.rules import Rules
from signals.backtests.run import run
from signals.backtests.selection import Selection
from signals.clock import utc_now
from signals.config import folder_market, journal
from signals.ledger.outcomes import record_outcome
from signals.models import Signal
from signals.retrieval.selection import Selection as Wanted
from signals.timestamps import utc_text
from signals.tracker import SignalTracker
from tests.legacy import legacy_row
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "Date,Open,High,Low,Close,Volume\n"
RISES = "2025-01-14,100,101,99,100,9\n2025-01-15,100,101,99,100,9\n2025-01-16,100,111,99,110,9\n"
FALLS = "2025-01-14,50,51,49,50,9\n2025-01-15,50,51,49,50,9\n2025-01-16,46,47,45,46,9\n"
AT = "2025-01-15T10:30:00Z"
"""Before the session of that day: the trade is entered at its open."""
RISING = {"symbol": "AAPL", "entry_price": 100.0, "target_price": 110.0, "stop_price": 95.0}
FALLING = {"symbol": "IBM", "entry_price": 50.0, "target_price": 55.0, "stop_price": 47.5}


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    folder = tmp_path / "bars"
    folder.mkdir()
    (folder / "AAPL.csv").write_text(HEAD + RISES)
    (folder / "IBM.csv").write_text(HEAD + FALLS)
    return folder


@pytest.fixture
def stored() -> None:
    SignalTracker("api").log_signals([a_signal(**RISING, timestamp=AT)])
    other = a_signal(
        **FALLING, timestamp=AT, strategy="other", confidence=70.0, regime="BULL", signal_id="other"
    )
    SignalTracker("replay").log_signals([other])


def text_of(*arguments: object) -> str:
    out = StringIO()
    call_command("backtest_signals", *map(str, arguments), stdout=out)
    return out.getvalue()


def result_of(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text_of("--json", *arguments))
    return found


def refused(*arguments: object) -> tuple[int, str]:
    with pytest.raises(CommandError) as error:
        text_of(*arguments)
    return error.value.returncode, str(error.value)


@pytest.mark.usefixtures("stored")
def test_stored_signals_are_traded_and_the_assumptions_come_first(bars: Path) -> None:
    costs = ("--spread", 0, "--slippage", 0, "--fee", 0)
    found = result_of("--bars", bars, *costs)
    result = found["result"]
    assert (result["signals"], result["entered"]) == (2, 2)
    assert (result["wins"], result["losses"]) == (1, 1)
    assert result["total_pct"] == pytest.approx(10 - 8)  # the gap through the stop
    assert found["origins"] == {"api": 1, "replay": 1}
    text = text_of("--bars", bars, *costs)
    assert text.startswith("Assumptions\n- A trade is entered at the open")
    assert text.index("Assumptions") < text.index("1  won") < text.index("2.00%  in total")


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["--symbol", "NASDAQ:AAPL"], 1),
        (["--strategy", "other"], 1),
        (["--origin", "replay"], 1),
        (["--since", "2025-01-15T10:30:01Z"], 0),
        (["--until", "2025-01-15T10:30:00Z"], 2),
        (["--action", "SELL"], 0),
        (["--regime", "BULL"], 1),
        (["--min-confidence", 60], 1),
        (["--max-confidence", 60], 1),
        (["--outcome", "win"], 1),
        (["--outcome", "open"], 1),
    ],
)
def test_filters_choose_the_same_of_the_database_and_of_a_file(
    bars: Path, tmp_path: Path, filters: list[str], count: int
) -> None:
    record_outcome(
        "other", outcome="win", exit_price=55.0, who="ann", why="seen", now=utc_now(),
        journal=journal(),
    )  # fmt: skip
    file = tmp_path / "signals.jsonl"
    call_command("export_signals", str(file), stdout=StringIO())
    of_database = result_of("--bars", bars, *filters)["result"]
    assert of_database["signals"] == count
    assert result_of("--bars", bars, "--file", file, *filters)["result"] == of_database


@pytest.mark.usefixtures("stored")
def test_decisions_and_what_was_known_choose_stored_signals_alone(
    bars: Path, tmp_path: Path
) -> None:
    (number,) = Signal.objects.filter(signal_id="other").values_list("pk", flat=True)
    queue.insert([number], "paper", utc_now())
    Decision.objects.filter(pk=number).update(
        status="skipped", decided_at=utc_now(), skipped_for="held", reasons=[{"code": "held"}]
    )
    file = tmp_path / "signals.jsonl"
    call_command("export_signals", str(file), stdout=StringIO())
    for filters, count in [
        (["--decision", "skipped"], 1),
        (["--decision", "executed"], 0),
        (["--reason", "held"], 1),
        (["--as-of", "2025-01-15T10:30:00Z"], 0),
        (["--as-of", utc_text(utc_now())], 2),
    ]:
        assert result_of("--bars", bars, *filters)["result"]["signals"] == count
        code, text = refused("--bars", bars, "--file", file, *filters)
        assert code == 2
        assert f"{filters[0]}: a file" in text


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_an_exported_file_gives_what_the_stored_signals_give(
    bars: Path, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"signals.{ending}"
    call_command("export_signals", str(file), stdout=StringIO())
    stored, exported = result_of("--bars", bars), result_of("--bars", bars, "--file", file)
    for name in ("result", "origins", "data_sha256"):
        assert exported[name] == stored[name]
    assert exported["parameters_sha256"] != stored["parameters_sha256"]


@pytest.mark.usefixtures("stored")
def test_the_result_is_kept_so_that_it_can_be_repeated(bars: Path, settings: Settings) -> None:
    found = result_of("--bars", bars)
    path = Path(found.pop("path"))
    assert path.parent == settings.DATA_DIR / "backtests"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == found
    again = result_of("--bars", bars)
    assert Path(again.pop("path")) != path
    assert again == found
    assert (
        result_of("--bars", bars, "--delay", 1)["parameters_sha256"] != found["parameters_sha256"]
    )
    (bars / "IBM.csv").write_text(HEAD + FALLS.replace("46,47,45,46", "46,47,45,45"))
    assert result_of("--bars", bars)["data_sha256"] != found["data_sha256"]


@pytest.mark.usefixtures("stored")
def test_stored_results_are_listed_with_their_figures(bars: Path, settings: Settings) -> None:
    assert text_of("--list").startswith("No result is stored yet")
    for more in ((), ("--symbol", "AAPL", "--delay", 1)):
        result_of("--bars", bars, *more)
    first, second = result_of("--list")["backtests"]
    assert (first["result"]["signals"], second["parameters"]["rules"]["delay"]) == (2, 1)
    assert first["made_at"] < second["made_at"]
    lines = text_of("--list").splitlines()
    assert len(lines) == 3
    assert "symbol AAPL, delay 1, entry open" in lines[2]
    (settings.DATA_DIR / "backtests" / "20000101T000000Z-damaged.json").write_text("{")
    assert "it is no JSON" in text_of("--list").splitlines()[1]


def test_a_split_that_the_bars_list_moves_the_prices_of_older_signals(bars: Path) -> None:
    SignalTracker("api").log_signals([a_signal(**RISING, timestamp=AT)])
    rows = RISES.replace("2025-01-16,100,111,99,110,9", "2025-01-16,25,26,24,25,9,4\n")
    rows = rows.replace("100,9\n", "100,9,0\n") + "2025-01-17,25,28,24,27,9,0\n"
    (bars / "AAPL.csv").write_text(HEAD.replace("Volume", "Volume,Stock Splits") + rows)
    result = result_of("--bars", bars, "--spread", 0, "--slippage", 0)["result"]
    assert (result["wins"], result["rescaled"]) == (1, 1)
    assert result["total_pct"] == pytest.approx(10)


EX_DAY = "2025-01-16,92,94,91,93,9,93,8\n2025-01-17,93,103,92,102,9,102,0\n"
"""A dividend of 8, more than the stop is away; the target of 110 is 101.2 after it."""


@pytest.mark.parametrize(("adjusted", "wins", "losses", "total"), [(100, 0, 1, -8), (92, 1, 0, 10)])
def test_a_dividend_larger_than_the_stop_is_a_loss_unless_the_bars_are_adjusted(
    bars: Path, adjusted: float, wins: int, losses: int, total: float
) -> None:
    SignalTracker("api").log_signals([a_signal(**RISING, timestamp=AT)])
    before = "".join(
        f"{day},100,101,99,100,9,{adjusted},0\n" for day in ("2025-01-14", "2025-01-15")
    )
    (bars / "AAPL.csv").write_text(
        HEAD.replace("Volume", "Volume,Adj Close,Dividends") + before + EX_DAY
    )
    result = result_of("--bars", bars, "--spread", 0, "--slippage", 0)["result"]
    assert (result["wins"], result["losses"]) == (wins, losses)
    assert result["rescaled"] == wins
    assert result["total_pct"] == pytest.approx(total)


def test_sessions_begin_in_the_time_of_their_exchange_and_its_season(bars: Path) -> None:
    """New York opens at 13:30 UTC from 10 March 2025, London at 7:00 from 31 March."""
    rows = "".join(
        f"2025-{day},{price},{price + 1},{price - 1},{price},9\n"
        for day, price in (
            ("03-06", 100), ("03-07", 101), ("03-10", 102), ("03-11", 103), ("03-27", 104),
            ("03-28", 105), ("03-31", 106), ("04-01", 107),
        )
    )  # fmt: skip
    for name in ("AAPL", "VOD.L"):
        (bars / f"{name}.csv").write_text(HEAD + rows)
    wide = {"entry_price": 103.0, "target_price": 150.0, "stop_price": 70.0}
    expected = {
        ("AAPL", "2025-03-07T14:00:00Z"): 101, ("AAPL", "2025-03-10T14:00:00Z"): 103,
        ("VOD.L", "2025-03-28T07:30:00Z"): 105, ("VOD.L", "2025-03-31T07:30:00Z"): 107,
    }  # fmt: skip
    for number, (symbol, at) in enumerate(expected):
        SignalTracker("api").log_signals(
            [a_signal(**wide, symbol=symbol, timestamp=at, signal_id=f"s{number}")]
        )
    rules = Rules(expiry=timedelta(days=90))
    made = run(Selection(Wanted()), folder_market(bars), rules, "")
    assert made.trades.entry.tolist() == list(expected.values())


def test_imported_times_of_any_spelling_are_the_instants_that_they_mean(
    bars: Path, tmp_path: Path
) -> None:
    """Three before the session of the 15th in New York, 14:30 UTC, and two after its begin."""
    file = tmp_path / "old.jsonl"
    early = ("2025-01-15 14:29:59", "2025-01-15T09:29:59.123456789-05:00", "2025-01-15T14:30:00Z")
    late = ("2025-01-15 14:30:01", "2025-01-15T15:30:00.000001+01:00")
    rows = [legacy_row(1, **RISING, timestamp=at, signal_id=at) for at in (*early, *late)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    call_command("import_signals", str(file), stdout=StringIO())
    made = run(Selection(Wanted()), folder_market(bars), Rules(), "")
    assert made.trades.entry_row.tolist() == [1, 1, 1, 2, 2]
    from_file = run(Selection(Wanted(), file), folder_market(bars), Rules(), "")
    assert from_file.trades.entry_row.tolist() == [1, 1, 1, 2, 2]


@pytest.mark.usefixtures("stored")
def test_an_account_trades_them_with_the_limits_of_the_settings(
    bars: Path, settings: Settings
) -> None:
    settings.MIN_CONFIDENCE = 0.0
    settings.RISK_MAX_POSITIONS = 1
    free = ("--account", "--spread", 0, "--slippage", 0, "--bars", bars)
    found = result_of(*free)
    assert found["account"]["executed"] == 1
    assert found["account"]["reasons"] == {"positions": 1}
    assert found["account"]["equity"] == "101000"  # 100 shares rose by 10
    assert found["parameters"]["account"]["limits"]["max_positions"] == 1
    assert any("order of time" in each for each in found["assumptions"])
    text = text_of(*free)
    assert "101000.00  equity at the last bar" in text
    assert "1  - positions: too many positions" in text
    settings.RISK_MAX_POSITIONS = 2
    assert result_of(*free)["parameters_sha256"] != found["parameters_sha256"]


WIDE = RISES.replace("100,111,99,110", "100,111,94,110")
"""The last bar reaches target and stop."""
HOURS = """Time,Open,High,Low,Close
2025-01-16T09:30:00-05:00,100,111,99,105
2025-01-16T10:30:00-05:00,105,106,{low},110
"""


@pytest.mark.usefixtures("stored")
def test_finer_bars_decide_what_came_first_within_a_bar(
    bars: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.MIN_CONFIDENCE = 0.0
    (bars / "AAPL.csv").write_text(HEAD + WIDE)
    (finer := tmp_path / "finer").mkdir()
    (finer / "AAPL.csv").write_text(HOURS.format(low=94))
    usual = ("--bars", bars, "--spread", 0, "--slippage", 0, "--account")
    without, found = result_of(*usual), result_of(*usual, "--finer", finer)
    assert without["result"]["ambiguous"] == without["result"]["losses"] - 1 == 1
    assert (found["result"]["ambiguous"], found["result"]["ordered"]) == (0, 1)
    assert (found["result"]["wins"], found["account"]["wins"]) == (1, 1)
    assert without["account"]["wins"] == 0
    assert found["parameters"]["finer"] == str(finer)
    assert "IBM" in found["missing_finer_bars"]["IBM"]
    text = text_of(*usual, "--finer", finer)
    assert "0.00%  decided by the unknown order of prices within a bar" in text
    assert "50.00%  before finer bars, which decided 1 of these 1 trades" in text
    assert "Without finer bars\n- IBM: " in text
    (finer / "AAPL.csv").write_text(HOURS.format(low=98))
    undecided = result_of(*usual, "--finer", finer)
    assert (undecided["result"]["ambiguous"], undecided["account"]["wins"]) == (1, 0)
    assert undecided["data_sha256"] != found["data_sha256"]


@pytest.mark.usefixtures("stored")
def test_a_symbol_without_bars_is_named(bars: Path) -> None:
    (bars / "IBM.csv").unlink()
    found = result_of("--bars", bars)
    assert found["result"]["skipped"] == {"no_bars": 1}
    assert "IBM" in found["missing_bars"]["IBM"]
    assert "Without bars\n- IBM: there are no bars of 'IBM'" in text_of("--bars", bars)


def test_lines_that_hold_no_signal_are_named_and_the_others_traded(
    bars: Path, tmp_path: Path
) -> None:
    file = tmp_path / "signals.jsonl"
    lines = [
        json.dumps(a_signal(**RISING, timestamp=AT)), "nonsense",
        json.dumps(a_signal(symbol=5, action="HOLD", entry_price="1", timestamp="soon")),
    ]  # fmt: skip
    file.write_text("\n".join(lines))
    out = StringIO()
    with pytest.raises(CommandError, match=r"2 lines of .* hold no signal") as error:
        call_command("backtest_signals", "--json", "--file", file, "--bars", bars, stdout=out)
    assert error.value.returncode == 1
    found = json.loads(out.getvalue())
    assert found["result"]["wins"] == 1
    assert found["refused"] == 2
    assert [each["line"] for each in found["refused_lines"]] == [2, 3]
    for name in ("symbol", "action", "entry_price", "timestamp"):
        assert f"{name}: " in found["refused_lines"][1]["error"]


def test_no_signals_give_a_result_without_figures(bars: Path) -> None:
    result = result_of("--bars", bars)["result"]
    assert (result["signals"], result["average_pct"]) == (0, None)
    assert "none  on average" in text_of("--bars", bars)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bars", "/nowhere"], "--bars: /nowhere is not a folder"),
        (["--finer", "/nowhere"], "--finer: /nowhere is not a folder"),
        (["--file", "/nowhere"], "/nowhere: cannot be read: No such file or directory"),
        (["--delay", "-1"], "--delay: is -1; give 0 or more bars"),
        (["--expiry-bars", "0"], "--expiry-bars: must be above 0"),
        (["--expiry-days", "nan"], "--expiry-days: nan is not a number of days"),
        (["--fee", "100"], "--fee: is 100.0; give percent of the price, 0 to below 100"),
        (["--since", "yesterday"], "--since: "),
    ],
)
def test_wrong_usage_is_a_sentence(arguments: list[str], sentence: str) -> None:
    code, text = refused(*arguments)
    assert code == 2
    assert sentence in text


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--symbol", "--strategy", "--origin", "--since"])
def test_an_empty_filter_is_refused(option: str) -> None:
    """As a shell passes a variable that is not set: it must not mean every signal."""
    with pytest.raises(CommandError, match=option):
        call_command("backtest_signals", option, "")
