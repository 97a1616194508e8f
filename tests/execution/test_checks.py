"""Wrong settings of trading are reported before anything is traded."""

import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

KEYS = {"ALPACA_API_KEY": "key", "ALPACA_SECRET_KEY": "secret"}
LIVE = {"BROKER": "alpaca", "ALPACA_LIVE": "yes", **KEYS}


def found(settings: Settings, **changes: object) -> list[tuple[str | None, str]]:
    for name, value in changes.items():
        setattr(settings, name, value)
    return [(each.id, each.msg) for each in run_checks()]


@pytest.mark.parametrize(
    ("wrong", "check", "expected"),
    [
        ({"PROP_FIRM": "nobody"}, "execution.E001", "no rule set 'nobody'"),
        ({"MARKET_EXCHANGE": "XXXX"}, "execution.E007", "'XXXX', which is not an exchange"),
        ({"PROP_FIRM": "x", "PROP_FIRM_FILE": "/nowhere"}, "execution.E001", "cannot be read"),
        ({"BROKER": "alpaca"}, "execution.E002", "its keys are missing"),
        (
            {"BROKER": "alpaca", "ALPACA_API_KEY": "key"},
            "execution.E002",
            "its keys are missing",
        ),
        ({"ALPACA_LIVE": "true"}, "execution.E003", "'true', which is not clear"),
        ({"ALPACA_LIVE": "YES"}, "execution.E003", "'YES'"),
        ({"TRADING_ZONE": "America/Nowhere"}, "execution.E004", "which is not a time zone"),
        ({"TRADING_ZONE": "../etc/passwd"}, "execution.E004", "which is not a time zone"),
        ({"RISK_GROUPS": [["AAPL"]]}, "execution.E005", "'AAPL' is not a group"),
        ({"RISK_GROUPS": [["AAPL", ""]]}, "execution.E005", "'AAPL+' is not a group"),
        ({"RISK_GROUPS": [["BTC-USD", "BTC/USD"]]}, "execution.E005", "is not a group"),
        ({"RISK_ALLOWED": ["AAPL MSFT"]}, "execution.E006", "RISK_ALLOWED: 'AAPL MSFT'"),
        (
            {"RISK_ALLOWED": ["BTC-USD"], "RISK_RESTRICTED": ["BTC/USD"]},
            "execution.W002",
            "BTC-USD is in both RISK_ALLOWED and RISK_RESTRICTED",
        ),
        ({**LIVE, "AUTO_EXECUTE": True}, "execution.W001", "real money"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_told(
    wrong: dict[str, object], check: str, expected: str, settings: Settings
) -> None:
    ((name, text),) = found(settings, **wrong)
    assert name == check
    assert expected in text


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"AUTO_EXECUTE": True},
        LIVE,
        {"MARKET_EXCHANGE": "XLON"},
        {"MARKET_EXCHANGE": "NYSE"},
        {"BROKER": "alpaca", "ALPACA_LIVE": "no", "AUTO_EXECUTE": True, **KEYS},
        {"RISK_GROUPS": [["AAPL", "MSFT"]], "RISK_ALLOWED": ["BTC-USD", "BRK.B"]},
    ],
)
def test_what_can_be_meant_is_not(right: dict[str, object], settings: Settings) -> None:
    assert found(settings, **right) == []


def test_a_setting_is_named_once(settings: Settings) -> None:
    ((_, text),) = found(settings, PROP_FIRM="nobody")
    assert text.count("PROP_FIRM") == 1


def test_the_usual_exchange_is_known_without_loading_calendars(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command runs the checks; otherwise every process would load pandas."""
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    assert found(settings) == []


def test_a_rule_set_of_ones_own_is_found(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[mine]\nsource = "me"\nzone = "UTC"\nmax_positions = 2\n')
    assert found(settings, PROP_FIRM="mine", PROP_FIRM_FILE=str(path)) == []
    path.write_text('[mine]\nsource = "me"\nzone = "UTC"\nmax_position = -2\n')
    ((name, text),) = found(settings)
    assert name == "execution.E001"
    assert "max_position" in text
