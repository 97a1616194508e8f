"""`weigh_sources` and what the report makes of it, as a person runs them."""

import json
import stat
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from argo.reports.csv_file import figure_rows
from argo.reports.page import report_page
from argo.reports.report import make_report
from argo.reports.text import report_text
from execution.analysis.selection import DecidedSelection
from signals.clock import utc_now
from signals.models import CandidateRecord, Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(transaction=True)

TIME = {"since": "2008-01-01T00:00:00Z", "until": "2009-12-31T23:59:59Z"}
OPTIONS = [part for name, value in TIME.items() for part in (f"--{name}", value)]


def printed(command: str, *options: object) -> str:
    out = StringIO()
    call_command(command, *map(str, options), stdout=out)
    return out.getvalue()


def result_of(command: str, *options: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed(command, "--json", *options))
    return found


def report(**filters: Any) -> dict[str, Any]:  # noqa: ANN401
    return make_report(DecidedSelection(**filters), utc_now())


def missing(**filters: Any) -> str:  # noqa: ANN401
    """Return why a report on this selection has no measurement."""
    found = report(**filters)
    measured = found["sources"]["leave_one_out"]
    assert measured["without"] == {}
    assert measured["all"] is None
    for rule in found["rules"].values():
        assert rule["cost_pct"]["null_because"] == measured["null_because"]
    because: str = measured["null_because"]
    return because


def traded(rows: list[dict[str, Any]], file: Path) -> dict[str, Any]:
    """Return the result of backtest_signals on these signals."""
    file.write_text("\n".join(map(json.dumps, rows)))
    result: dict[str, Any] = result_of("backtest_signals", "--file", file)["result"]
    return result


def rejected_for(code: str) -> list[dict[str, Any]]:
    names = ("symbol", "asset_type", "action", "entry_price", "target_price", "stop_price")
    rows = CandidateRecord.objects.all()
    return [
        {name: getattr(row, name) for name in names} | {"timestamp": row.made_at}
        for row in rows
        if code in row.rejected_for.split()
    ]


def test_what_a_replay_made_is_weighed_and_reported(settings: Settings, tmp_path: Path) -> None:
    settings.MARKET_SYMBOLS = ("AAPL", "IBM")
    printed("replay", "--from", "2008-01-01", "--to", "2009-12-31")
    assert missing(**TIME) == (
        "it has not been measured: run manage.py weigh_sources "
        "--since 2008-01-01T00:00:00Z --until 2009-12-31T23:59:59Z"
    )
    found = result_of("weigh_sources", *OPTIONS)

    whole = result_of("backtest_signals", "--origin", "replay")["result"]
    assert found["all"]["signals"] == whole["signals"] == Signal.objects.count() > 30
    assert found["all"]["traded_pct"]["value"] == pytest.approx(whole["average_pct"])
    assert found["all"]["traded_pct"]["n"] == whole["closed"]
    for name, source in found["without"].items():
        worth, without = source["worth_pct"]["value"], source["traded_pct"]["value"]
        assert worth == pytest.approx(whole["average_pct"] - without), name
    for code in ("confidence", "cooldown"):
        rows, rule = rejected_for(code), found["rejected"][code]
        assert rule["rejected"] == len(rows) > 100
        assert rule["cost_pct"]["value"] == pytest.approx(
            traded(rows, tmp_path / f"{code}.jsonl")["average_pct"]
        )
    assert_that_the_report_has(found)
    assert_that_it_is_kept(found, settings)
    assert_that_another_report_says_what_to_run(settings)


def assert_that_the_report_has(found: dict[str, Any]) -> None:
    made = report(**TIME)
    measured = made["sources"]["leave_one_out"]
    for name in ("all", "without", "pairs", "bars", "symbols", "version"):
        assert measured[name] == found[name]
    for code, rule in found["rejected"].items():
        assert made["rules"][f"validation.{code}"] == rule
    assert "Of 5 sources, " in made["what_helped"]
    text = report_text(made)
    assert text.splitlines()[1] == made["what_helped"]
    for line in (
        "How each source voted", "all sources  ", "worth of trend  ", "validation.cooldown  ",
        "How alike the sources vote on all past bars",
    ):  # fmt: skip
        assert f"\n{line}" in text
    assert any("The worth of sources and of rules" in each for each in made["assumptions"])
    page = report_page(made)
    for part in ("Worth on past bars", "Votes on these signals", "Rules of validation"):
        assert f"<caption>{part}</caption>" in page
    assert made["what_helped"] in page
    rows = {(row.section, row.group, row.name): row for row in figure_rows(made)}
    row = rows["sources", "leave_one_out: without: trend", "worth_pct"]
    assert row.value == found["without"]["trend"]["worth_pct"]["value"]
    assert row.unit == "percent of the entry price for each signal"
    assert rows["rules", "validation.cooldown", "rejected"].unit == "candidates"


def assert_that_it_is_kept(found: dict[str, Any], settings: Settings) -> None:
    path = Path(found.pop("path"))
    assert path.parent == settings.DATA_DIR / "worth"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == found


def assert_that_another_report_says_what_to_run(settings: Settings) -> None:
    other = "it has not been measured for this symbol and time: run manage.py weigh_sources"
    assert missing() == other
    assert missing(symbol="NASDAQ:IBM") == f"{other} --symbol IBM"
    assert missing(**TIME, action="BUY").endswith("not for a choice by action")
    before = missing(**TIME, as_of=utc_now() - timedelta(days=1))
    assert before.startswith("it has not been measured: run")
    settings.MIN_CONFIDENCE, settings.PAPER_FEE = 70.0, 1.0
    expected = "the last measurement was made with another MIN_CONFIDENCE, PAPER_FEE: run manage.py"
    assert missing(**TIME).startswith(expected)


@pytest.fixture
def voted() -> None:
    """Store a signal with a vote."""
    vote = {"source": "trend", "direction": "BUY", "confidence": 80.0, "weight": 1.0, "figures": {}}
    signal = a_signal(symbol="IBM", timestamp="2013-02-25T21:00:00Z", votes=[vote])
    SignalTracker("api").log_signals([signal])


@pytest.mark.usefixtures("voted")
def test_a_damaged_measurement_is_named(settings: Settings) -> None:
    folder = settings.DATA_DIR / "worth"
    folder.mkdir()
    (folder / "20260101T000000.000000Z-0123456789ab.json").write_text("{")
    found = report()["sources"]["leave_one_out"]["null_because"]
    assert f"a file in {folder} cannot be read" in found
    assert "delete it, and run manage.py weigh_sources" in found


def test_without_a_stored_candidate_only_the_sources_are_weighed(settings: Settings) -> None:
    settings.MARKET_SYMBOLS = ("IBM",)
    text = printed("weigh_sources", "--since", "2013-01-01T00:00:00Z")
    assert "bars of IBM, 2013-01-02 to 2013-03-01" in text
    assert "rejected" not in text.split("What this assumes")[0]
    assert printed("weigh_sources", "--since", "2013-02-25T00:00:00Z", "--verbosity", "0") == ""


@pytest.mark.parametrize(
    ("symbols", "options", "sentence"),
    [
        ((), [], "--symbol: name a symbol, or set MARKET_SYMBOLS"),
        (("IBM",), ["--until", "1999-01-01T00:00:00Z"], "there are no bars of IBM"),
        (("IBM",), ["--symbol", "NONE"], "NONE"),
        (("IBM",), ["--since", "yesterday"], "--since: "),
    ],
)
def test_wrong_usage_is_a_sentence(
    settings: Settings, symbols: tuple[str, ...], options: list[str], sentence: str
) -> None:
    settings.MARKET_SYMBOLS = symbols
    with pytest.raises(CommandError, match=sentence):
        printed("weigh_sources", *options)


def test_signals_without_votes_have_no_measurement(settings: Settings) -> None:
    settings.MARKET_SYMBOLS = ("IBM",)
    printed("weigh_sources", "--since", "2013-02-20T00:00:00Z")
    SignalTracker("api").log_signals([a_signal(timestamp="2013-02-25T21:00:00Z")])
    assert missing(since="2013-02-20T00:00:00Z") == "none of these signals has votes"


@pytest.mark.usefixtures("voted")
def test_the_newest_measurement_that_had_been_made_is_shown(settings: Settings) -> None:
    """A report as of a moment has the one of then, also if it is made again later."""
    settings.MARKET_SYMBOLS = ("IBM",)
    since = ("--since", "2013-02-20T00:00:00Z")
    for _ in range(2):
        printed("weigh_sources", *since)
    first, second = sorted((settings.DATA_DIR / "worth").iterdir())
    made = datetime.strptime(first.name.split("-")[0], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    then = report(since=since[1], as_of=made, origin="api")["sources"]["leave_one_out"]
    now = report(since=since[1])["sources"]["leave_one_out"]
    assert then["made_at"] == made.isoformat()
    assert then["made_at"] < now["made_at"]
    assert second.name.startswith(datetime.fromisoformat(now["made_at"]).strftime("%Y%m%dT%H%M%S"))
