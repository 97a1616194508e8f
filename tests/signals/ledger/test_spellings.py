"""The table of spellings: made when a spelling is first seen, and read anew when rules change."""

from pathlib import Path

import pytest
from pytest_django import Settings

from signals.generation.candidates import earlier_signals
from signals.instruments import rules
from signals.ledger.pages import PageQuery, page
from signals.ledger.spellings import read_again, seen_spellings, spellings_of
from signals.ledger.sums.update import update_sums
from signals.models import InstrumentSpelling, Signal
from signals.timestamps import parse_utc
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
both_databases = pytest.mark.django_db(databases=["default", "postgresql"])


def log(*symbols: str, **changes: object) -> list[str]:
    return SignalTracker("test").log_signals([a_signal(symbol=each, **changes) for each in symbols])


def rows(using: str = "default") -> list[tuple[str, str, str]]:
    found = InstrumentSpelling.objects.using(using).order_by("spelling", "asset_type")
    return list(found.values_list("spelling", "asset_type", "instrument"))


def found(symbol: str, **query: object) -> list[str]:
    return [item["signal_id"] for item in page(PageQuery(symbol=symbol, **query))[0]]


@both_databases
def test_each_spelling_becomes_one_row_when_it_is_first_seen(
    tracker: SignalTracker, using: str
) -> None:
    for symbol in ("NASDAQ:AAPL", "AAPL", "AAPL", "BTC"):
        tracker.log_signal(a_signal(symbol=symbol))
    tracker.log_signal(a_signal(symbol="BTC", asset_type="crypto"))
    assert rows(using) == [
        ("AAPL", "stock", "AAPL"),
        ("BTC", "crypto", "BTC-USD"),
        ("BTC", "stock", "BTC"),
        ("NASDAQ:AAPL", "stock", "AAPL"),
    ]


def test_a_symbol_finds_the_signals_of_every_spelling_newest_first() -> None:
    made = [
        log(symbol, timestamp=f"2025-01-15T10:30:{second:02d}Z")[0]
        for second, symbol in enumerate(["AAPL", "NASDAQ:AAPL", "MSFT", "AAPL.US", "AAPL"])
    ]
    expected = [made[4], made[3], made[1], made[0]]
    for spelling in ("AAPL", "nasdaq:aapl", "AAPL.O"):
        assert found(spelling) == expected
    first, following = page(PageQuery(symbol="AAPL", limit=2))
    second, end = page(PageQuery(symbol="AAPL", limit=2, after=following))
    assert [item["signal_id"] for item in [*first, *second]] == expected
    assert end is None


def test_a_spelling_of_two_instruments_is_told_apart_by_its_asset_type() -> None:
    (fund,) = log("BTC", asset_type="etf")
    coin, pair = log("BTC", "BTCUSD", asset_type="crypto")
    assert set(found("BTC-USD")) == {coin, pair}
    assert set(found("BTC")) == {fund, coin, pair}, "it means what it means in signals"


def test_a_row_that_a_script_inserted_is_found_by_its_own_symbol() -> None:
    log("AAPL")
    InstrumentSpelling.objects.all().delete()
    assert len(found("AAPL")) == 1


def test_a_changed_file_changes_what_is_found_at_once_and_the_rows_later(
    settings: Settings, tmp_path: Path
) -> None:
    made = log("GOLDM", "XAUUSD", asset_type="unknown")
    assert len(found("XAU-USD")) == 1
    file = tmp_path / "instruments.toml"
    file.write_text('["XAU-USD"]\nspellings = ["GOLDM"]\n')
    settings.INSTRUMENTS_FILE = str(file)
    assert sorted(found("XAU-USD")) == sorted(made)
    assert ("GOLDM", "unknown", "GOLDM") in rows()
    assert read_again() == 2
    assert ("GOLDM", "unknown", "XAU-USD") in rows()
    assert read_again() == 0
    assert sorted(found("XAU-USD")) == sorted(made)


def test_rows_of_an_upgrade_are_read_by_the_present_rules() -> None:
    log("NASDAQ:AAPL")
    InstrumentSpelling.objects.update(instrument="", rules="")
    assert len(found("AAPL")) == 1
    assert [each.spelling for each in seen_spellings("AAPL")] == ["NASDAQ:AAPL"]
    assert read_again() == 1
    assert rows() == [("NASDAQ:AAPL", "stock", "AAPL")]


def test_the_cooldown_of_an_instrument_counts_signals_of_every_spelling() -> None:
    log("BRK-B", strategy="weighted_consensus")
    now = parse_utc("2025-01-16T00:00:00Z")
    assert len(earlier_signals("BRK.B", "weighted_consensus", now)) == 1
    assert earlier_signals("BRK.A", "weighted_consensus", now) == []


def test_a_page_of_one_spelling_takes_the_index() -> None:
    log("AAPL")
    names = spellings_of("AAPL").names
    assert names == ("AAPL",)
    plan = Signal.objects.filter(symbol="AAPL").order_by("-timestamp", "-id").explain()
    assert "signals_symbol_time" in plan


def test_spellings_that_a_flush_left_out_are_added_with_the_sums() -> None:
    log("NASDAQ:AAPL", "MSFT")
    InstrumentSpelling.objects.all().delete()
    update_sums()
    assert [name for _, _, name in rows()] == ["MSFT", "AAPL"]


def test_an_invalid_file_keeps_no_signal_from_being_stored(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "instruments.toml"
    settings.INSTRUMENTS_FILE = str(file)
    file.write_text("[AAPL")
    log("AAPL")
    assert Signal.objects.count() == 1
    file.write_text("")
    assert len(found("NASDAQ:AAPL")) == 1


def test_the_rules_change_with_the_exchange(settings: Settings) -> None:
    """A share without a suffix is another one then."""
    before = rules()
    settings.MARKET_EXCHANGE = "XLON"
    assert rules() != before
    settings.MARKET_EXCHANGE = "XNYS"
    assert rules() == before
