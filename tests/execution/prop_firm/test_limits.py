"""A firm's rules make the user's limits stricter, never looser."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import pytest

from execution.prop_firm.limits import tightened
from execution.risk.model import Intent, Limits, Portfolio
from execution.risk.rules import denials
from execution.types import Side
from tests.execution.prop_firm.rules import NAN, D, rule_set

FIRM = rule_set(max_positions=5, max_position=20, min_confidence=80, max_stop=2)
NONE = Limits(max_positions=None, max_position=None, max_stop=None, min_confidence=0.0)
NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


def four(limits: Limits) -> tuple[int | None, Decimal | None, Decimal | None, float]:
    return limits.max_positions, limits.max_position, limits.max_stop, limits.min_confidence


def test_the_stricter_of_both_applies() -> None:
    loose = Limits(max_positions=9, max_position=D(30), max_stop=D(3), min_confidence=75.0)
    strict = Limits(max_positions=2, max_position=D(10), max_stop=D(1), min_confidence=90.0)
    assert four(tightened(loose, FIRM)) == (5, D(20), D(2), 80.0)
    assert four(tightened(strict, FIRM)) == four(strict)


def test_a_limit_that_only_one_has_applies() -> None:
    assert four(tightened(NONE, FIRM)) == (5, D(20), D(2), 80.0)
    own = Limits(max_positions=2, max_position=D(10), max_stop=D(1))
    assert tightened(own, rule_set()) == own
    assert tightened(NONE, rule_set()) == NONE


def test_all_other_limits_stay() -> None:
    own = Limits(max_daily_loss=D(7), max_drawdown=D(30), restricted=frozenset({"GME"}))
    rules = rule_set(drawdown={"percent": 5}, daily_loss={"percent": 1, "basis": "equity"})
    assert tightened(own, rules) == own


def test_a_limit_that_is_not_a_number_is_never_lost() -> None:
    with pytest.raises(InvalidOperation):
        tightened(replace(NONE, max_position=NAN), FIRM)
    kept = tightened(replace(NONE, min_confidence=float("nan")), FIRM).min_confidence
    assert not kept <= 100  # it denies every confidence


def test_a_stop_that_is_too_far_away_for_the_firm_is_denied() -> None:
    intent = Intent(
        "s1", "AAPL", Side.BUY, D(10), D(100), D(105), D("97.9"), 80.0, NOW,
        price=D(100), price_time=NOW, market_open=True, currency="USD", unit_value=D(1),
    )  # fmt: skip
    account = Portfolio(D(100_000), D(50_000), D(100_000), D(100_000))
    limits = tightened(Limits(), FIRM)
    assert [denial.code for denial in denials(intent, account, limits, NOW)] == ["stop"]
    assert denials(replace(intent, stop=D(98)), account, limits, NOW) == []
