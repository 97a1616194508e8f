"""`manage.py generate_signals` looks once, reports what it found, and never doubles a signal."""

import json
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from argo.manual.pages import Page
from signals.generation.service import SignalGenerationService, SymbolResult
from signals.generation.validation import Reason
from signals.generation.votes import Direction
from signals.market.protocol import Quote
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.databases import empty_postgresql
from tests.installation import Installation
from tests.manual.blocks import blocks
from tests.signals.generation.markets import ScriptedMarket, market_of
from tests.signals.generation.pipelines import always

EVERYTHING = {"MIN_CONFIDENCE": "0", "SIGNAL_MIN_SOURCES": "1"}
"""Settings with which the last day of the sample market gives three signals."""
PROPOSED = ["AAPL", "FB", "GOOG"]


def with_settings(argo: Installation, **settings: str) -> Installation:
    return Installation(argo.folder, {**argo.settings, **settings})


@pytest.fixture
def on_sqlite(installation: Installation) -> Installation:
    return with_settings(installation, **EVERYTHING)


@pytest.fixture
def on_postgresql(tmp_path: Path) -> Iterator[Installation]:
    with empty_postgresql() as url:
        argo = Installation(tmp_path / "argo", {"DATABASE_URL": url, **EVERYTHING})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        yield argo


def found(argo: Installation, *arguments: str) -> list[dict[str, Any]]:
    result = argo.manage("generate_signals", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    answer: list[dict[str, Any]] = json.loads(result.stdout)["symbols"]
    return answer


def test_a_cycle_reports_the_result_of_each_symbol(on_sqlite: Installation) -> None:
    text = on_sqlite.manage("generate_signals").stdout.splitlines()
    assert [line.split()[0] for line in text] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert text[0].startswith("AAPL     BEAR     SELL at 56.1374, confidence 85.3: signal ")
    assert text[3] == "IBM      BULL     nothing proposed"
    again = on_sqlite.manage("generate_signals").stdout.splitlines()
    assert "rejected: 0 of 10 bars since the signal of 2013-03-01" in again[0]
    ids = [line.rpartition(" ")[2] for line in text[:3]]
    assert [row[0] for row in on_sqlite.query("SELECT signal_id FROM signals ORDER BY id")] == ids


def test_a_failed_symbol_gives_exit_code_1_and_the_others_are_stored(
    on_sqlite: Installation,
) -> None:
    result = on_sqlite.manage("generate_signals", "--symbols", "NONE,AAPL")
    assert result.returncode == 1
    assert "failed: there are no bars of 'NONE'" in result.stdout
    assert "1 of 2 symbols failed" in result.stderr
    assert on_sqlite.query("SELECT symbol FROM signals") == [("AAPL",)]


@pytest.mark.parametrize(
    "name",
    ["on_sqlite", pytest.param("on_postgresql", marks=pytest.mark.services("postgresql"))],
)
def test_several_workers_at_once_make_no_duplicate(
    name: str, request: pytest.FixtureRequest
) -> None:
    argo: Installation = request.getfixturevalue(name)
    commands = [
        argo.start("manage.py", "generate_signals", "--json", stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    answers = [json.loads(each.communicate(timeout=120)[0])["symbols"] for each in commands]
    assert [each.returncode for each in commands] == [0, 0, 0]
    made = [one["signal_id"] for answer in answers for one in answer if one["signal_id"]]
    assert len(made) == len(set(made)) == len(PROPOSED)
    listed = argo.manage("verify_signals", "--json")
    assert listed.returncode == 0, listed.stdout
    rows = json.loads(listed.stdout)
    assert rows["rows"] == len(PROPOSED)


@pytest.mark.services("postgresql")
def test_candidates_are_kept_on_postgresql_as_on_sqlite(
    on_sqlite: Installation, on_postgresql: Installation
) -> None:
    stories = [
        [argo.manage("replay", "--symbols", "FB", "--json").stdout for _ in range(2)]
        for argo in (on_sqlite, on_postgresql)
    ]
    assert stories[0] == stories[1]
    assert stories[0][0] == stories[0][1]
    assert json.loads(stories[0][0])["stored"] > 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"SIGNAL_STOP": "3"}, "SIGNAL_STOP: '3' is not a distance: write it as 3% or 2ATR"),
        ({"SIGNAL_SOURCES": "json=1"}, "'json' is not a source"),
        ({"SIGNAL_SOURCES": "json=-1"}, "SIGNAL_SOURCES='-1' is not a number for json from 0.0"),
        ({"SIGNAL_SOURCES": "json"}, "SIGNAL_SOURCES='json' is not NAME=NUMBER"),
        ({"SIGNAL_WEIGHTS_BULL": "tren=1"}, "tren is not one of the sources trend, momentum"),
        ({"SIGNAL_REGIME_FACTORS": "BEARISH=1"}, "BEARISH=1' is not for one of BULL, BEAR"),
        ({"MARKET_EXCHANGE": "NYC"}, "MARKET_EXCHANGE is 'NYC'"),
        ({"MARKET_DATA": "files", "MARKET_FOLDER": "/nowhere"}, "MARKET_FOLDER is not a folder"),
        ({"MARKET_DATA": "alpaca"}, "ALPACA_API_KEY or ALPACA_SECRET_KEY is missing"),
        ({"MARKET_DATA": "yahoo"}, "MARKET_DATA='yahoo' is not one of sample, files, alpaca"),
        ({"SIGNAL_MIN_SOURCES": "9"}, "SIGNAL_MIN_SOURCES: fewer sources"),
        (
            {"MIN_CONFIDENCE_BY_STRATEGY": "mine=x"},
            "MIN_CONFIDENCE_BY_STRATEGY='x' is not a number",
        ),
        ({"MIN_CONFIDENCE": "nan"}, "MIN_CONFIDENCE='nan' is not a number from 0.0 to 100.0"),
    ],
)
def test_invalid_settings_are_reported_by_name(
    wrong: dict[str, str], message: str, installation: Installation
) -> None:
    result = with_settings(installation, **wrong).manage("generate_signals")
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_users_own_source_votes_as_the_manual_shows(
    on_sqlite: Installation, tmp_path: Path
) -> None:
    (shown,) = (each for each in blocks(Page("generate").path) if each.file_name == "my_gap.py")
    (tmp_path / "my_gap.py").write_text(shown.text)
    mine = with_settings(
        on_sqlite,
        PYTHONPATH=str(tmp_path),
        SIGNAL_SOURCES="signals.generation.sources.trend=0.5, my_gap=0.5",
    )
    votes = [one["candidate"]["votes"] for one in found(mine) if one["candidate"]]
    assert votes
    assert all([vote["source"] for vote in each] == ["trend", "my_gap"] for each in votes)
    replayed = json.loads(mine.manage("replay", "--symbols", "IBM", "--json").stdout)
    assert replayed["stored"] > 10
    said = mine.query("SELECT votes FROM signal_contexts")
    directions = {json.loads(row[0])[1]["direction"] for row in said}
    assert {"BUY", "SELL"} <= directions


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_on_one_bar_with_different_prices_only_one_makes_a_signal() -> None:
    """Only the claim can decide: each validates before the other has stored its signal."""
    met = threading.Barrier(2, timeout=60)
    market = market_of("AAPL")

    class Meeting(SignalGenerationService):
        def _validate(self, *arguments: Any) -> list[Reason]:  # noqa: ANN401
            reasons = super()._validate(*arguments)
            met.wait()
            return reasons

    def make(price: float) -> SymbolResult:
        own = ScriptedMarket(market.answers, market.time + timedelta(seconds=price - 100))
        own.quotes["AAPL"] = Quote(price, own.time)
        tracker = SignalTracker(origin="generator", clock=own.now)
        try:
            return Meeting(own, always(Direction.BUY), tracker).run_cycle(["AAPL"])[0]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(make, [100.0, 101.0]))
    assert [each.error for each in results] == [None, None]
    SignalTracker("generator").flush()
    assert Signal.objects.count() == 1
    assert sum(each.signal_id is not None for each in results) == 1
