"""Statistics by symbol count an instrument once, however its symbol was spelled."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from signals.ledger.sums.answer import Stats, stats
from signals.ledger.sums.query import StatsQuery
from signals.ledger.sums.update import update_sums
from signals.models import InstrumentSpelling
from signals.tracker import SignalTracker
from tests.databases import DATABASES
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(databases=DATABASES)
APPLE = ("AAPL", "NASDAQ:AAPL", "AAPL.US")
is_summed = pytest.mark.parametrize("is_summed", [False, True])


def _log(tracker: SignalTracker, *symbols: str, **changes: Any) -> None:  # noqa: ANN401
    tracker.log_signals([a_signal(symbol=each, **changes) for each in symbols])


def _asked(using: str, **asked: Any) -> Stats:  # noqa: ANN401
    return stats(StatsQuery.model_validate(asked), using=using)


def _counts(using: str, **asked: Any) -> dict[Any, int]:  # noqa: ANN401
    """Return the number of signals by group: by symbol, or by several keys."""
    items = _asked(using, **({"by": "symbol"} | asked)).items
    keys = [tuple(group.values()) for group, _ in items]
    return {
        key if len(key) > 1 else key[0]: figures.n
        for key, (_, figures) in zip(keys, items, strict=True)
    }


@is_summed
def test_every_spelling_of_an_instrument_is_one_group(
    tracker: SignalTracker, using: str, is_summed: bool
) -> None:
    _log(tracker, *APPLE, "BRK.B", "BRK-B", "BRK/B", "MSFT")
    for symbol, kind in (("BTC/USDT", "crypto"), ("BTCUSDT", "crypto"), ("EURUSD", "forex"),
                         ("EUR/USD", "forex"), ("ES=F", "future"), ("/ES", "future")):  # fmt: skip
        _log(tracker, symbol, asset_type=kind)
    if is_summed:
        update_sums(using=using)
    expected = {
        "AAPL": 3, "BRK.B": 3, "BTC-USDT": 2, "EUR-USD": 2, "ES=F": 2, "MSFT": 1,
    }  # fmt: skip
    assert expected.items() <= _counts(using).items()
    assert _asked(using, by="symbol").groups == len(_counts(using))
    if using == "default":  # the spellings of a filter are read there
        for symbol, number in expected.items():
            assert _asked(using, symbol=symbol).total.n == number


@is_summed
def test_two_keys_are_folded_too(tracker: SignalTracker, using: str, is_summed: bool) -> None:
    _log(tracker, *APPLE, strategy="trend")
    _log(tracker, *APPLE[:2], strategy="breakout")
    if is_summed:
        update_sums(using=using)
    expected = {("AAPL", "trend"): 3, ("AAPL", "breakout"): 2}
    assert _counts(using, by="symbol,strategy") == expected
    assert _counts(using, by="day,symbol") == {("2025-01-15", "AAPL"): 5}
    assert _counts(using, by="symbol,origin") == {("AAPL", "python"): 5}, "a scan"


def test_a_limit_counts_instruments(tracker: SignalTracker, using: str) -> None:
    _log(tracker, *APPLE, "MSFT", "MSFT")
    found = _asked(using, by="symbol", limit=1)
    assert [group["symbol"] for group, _ in found.items] == ["AAPL"]
    assert (found.groups, found.total.n) == (2, 5)


def test_a_spelling_of_two_instruments_is_a_group_of_its_own(
    tracker: SignalTracker, using: str
) -> None:
    _log(tracker, "BTC", asset_type="etf")
    _log(tracker, "BTC", "BTCUSD", "BTC/USD", asset_type="crypto")
    assert _counts(using) == {"BTC": 2, "BTC-USD": 2}


@is_summed
@pytest.mark.parametrize("using", ["default"], indirect=True)
def test_a_symbol_leaves_out_what_its_spellings_mean_elsewhere(
    tracker: SignalTracker, using: str, is_summed: bool
) -> None:
    _log(tracker, "BTC", asset_type="etf")
    _log(tracker, "BTC", "BTCUSD", asset_type="crypto")
    if is_summed:
        update_sums(using=using)
    assert _asked(using, symbol="BTC-USD").total.n == 2
    assert _asked(using, symbol="BTC-USD", by="action").total.n == 2


def test_what_no_flush_has_learned_keeps_its_own_name(tracker: SignalTracker, using: str) -> None:
    _log(tracker, *APPLE[:2])
    InstrumentSpelling.objects.using(using).all().delete()
    assert _counts(using) == {"AAPL": 1, "NASDAQ:AAPL": 1}


def test_a_changed_file_changes_the_groups_at_once(
    tracker: SignalTracker, using: str, settings: Settings, tmp_path: Path
) -> None:
    _log(tracker, "GOLDM", "XAUUSD", asset_type="unknown")
    assert _counts(using) == {"GOLDM": 1, "XAU-USD": 1}
    file = tmp_path / "instruments.toml"
    file.write_text('["XAU-USD"]\nspellings = ["GOLDM"]\n')
    settings.INSTRUMENTS_FILE = str(file)
    assert _counts(using) == {"XAU-USD": 2}
