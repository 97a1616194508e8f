"""An operator's own instruments: new ones, and corrections of Argo's."""

from decimal import Decimal
from pathlib import Path

import pytest

from argo.errors import InvalidInput
from signals.market.instruments import ALWAYS, FOREX, METAL_HOURS, Instruments, Kind, load

FILE = """
["XAU-USD"]
spellings = ["gold.spot", "GOLDm#"]
tick = 0.05
step = 0.1
vendors = { mybroker = "GOLDm#", alpaca = "GLD" }

[NEWCOINUSD]
kind = "crypto_spot"
base = "NEWCOIN"
quote = "USD"

[DE40]
kind = "index"
hours = "forex"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "instruments.toml"
    path.write_text(FILE)
    return path


def test_the_file_adds_spellings_steps_and_vendors(file: Path) -> None:
    known = Instruments(own=load(file))
    gold = known.of("Gold.Spot")
    assert gold == known.of("XAU/USD") == known.of("GOLDm#", "stock")
    assert (gold.symbol, gold.kind, gold.hours) == ("XAU-USD", Kind.METAL, METAL_HOURS)
    assert gold.rounded(2031.03) == 2031.05
    assert gold.step_or(Decimal(9)) == Decimal("0.1")
    assert gold.vendors == {"mybroker": "GOLDm#", "alpaca": "GLD"}


def test_a_vendors_own_spelling_is_read_back(file: Path) -> None:
    known = Instruments(own=load(file))
    assert known.at("alpaca", "GLD").symbol == "XAU-USD"
    assert known.at("yahoo", "GLD").symbol == "GLD"
    assert known.at("alpaca", "BTCUSD", "crypto").symbol == "BTC-USD"


def test_the_file_corrects_a_kind_and_its_hours_even_against_the_sender(file: Path) -> None:
    known = Instruments(own=load(file))
    coin = known.of("NEWCOINUSD", "stock")
    assert (coin.kind, coin.base, coin.hours) == (Kind.CRYPTO_SPOT, "NEWCOIN", ALWAYS)
    assert known.of("OANDA:DE40").symbol == "^DAX"
    assert (known.of("DE40").symbol, known.of("DE40").hours) == ("DE40", FOREX)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[A]\nkind = "gizmo"', "A.kind"),
        ("[A]\ntick = 0", "A.tick"),
        ("[A]\nstep = nan", "A.step"),
        ("[A]\ncolour = 1", "A.colour"),
        ("A = 1", "A: must be a table"),
        ('[A]\nspellings = ["X"]\n[B]\nspellings = ["x"]', "B: X is a spelling of A too"),
        ('[A]\nspellings = ["b"]\n[B]', "B: B is a spelling of A too"),
        ("[A", "cannot be read"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_field(file: Path, text: str, field: str) -> None:
    file.write_text(text)
    with pytest.raises(InvalidInput) as raised:
        load(file)
    assert str(file) in str(raised.value)
    assert field in str(raised.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path / "missing.toml")


def test_a_file_states_currency_and_multiplier(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("""
        [US500]
        kind = "index"
        quote = "USD"
        multiplier = 1
        ["ES=F"]
        multiplier = 50
        ["RDSA.L"]
        quote = "EUR"
        [TEVA]
        hours = "XTAE"
        [VODL]
        hours = "XLON"
        [NEWUSD]
        kind = "stock"
    """)
    known = Instruments(own=load(path))
    found = {name: known.of(name) for name in ("US500", "ES=F", "RDSA.L", "TEVA", "VODL", "NEWUSD")}
    assert {name: each.quote for name, each in found.items()} == {
        "US500": "USD", "ES=F": "USD", "RDSA.L": "EUR", "TEVA": "", "VODL": "GBX", "NEWUSD": "USD",
    }  # fmt: skip
    assert (found["US500"].unit_value, found["ES=F"].unit_value) == (Decimal(1), Decimal(50))
