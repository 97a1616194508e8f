"""A rule set has the values of its table, or every invalid value is named."""

from dataclasses import FrozenInstanceError, replace
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from argo.errors import InvalidInput
from execution.prop_firm.rule_set import Drawdown, RuleSet, Trail, parse
from tests.execution.prop_firm.rules import NAN, D, rule_set

PLAIN: dict[str, Any] = {"source": "by hand, 2026", "zone": "UTC"}


def faults(**fields: Any) -> dict[str, str]:  # noqa: ANN401  # any value of a TOML table
    with pytest.raises(InvalidInput) as refused:
        parse("mine", {**PLAIN, **fields})
    return {error.field: error.message for error in refused.value.errors}


def test_every_limit_may_be_left_out() -> None:
    assert parse("mine", PLAIN) == RuleSet(name="mine", source="by hand, 2026", zone="UTC")


def test_every_field_is_read() -> None:
    trail = {"peak": "equity", "rises": "at_once", "stops_at_start": True}
    found = rule_set(
        reset=time(17), drawdown={"percent": D("7.5"), "watched": "balance", "trail": trail},
        daily_loss={"percent": 5, "basis": "higher"}, max_positions=3, max_position=200,
        flat={"by": "close", "minutes_before": 5, "at": time(15, 10)}, min_confidence=80,
        max_stop=D("1.5"), min_days=4, min_day_profit=D("0.5"), consistency=50, target=8,
        close_on_breach=True,
    )  # fmt: skip
    assert found.drawdown == Drawdown(
        D("7.5"), "balance", "start", Trail("equity", "at_once", True)
    )
    assert found.flat is not None
    assert (found.flat.minutes_before, found.flat.at) == (5, time(15, 10))
    assert (found.max_positions, found.max_position, found.max_stop) == (3, D(200), D("1.5"))
    assert found.close_on_breach


def test_a_drawdown_is_static_unless_it_trails() -> None:
    assert Drawdown(D(10)).kind == "static"
    assert Drawdown(D(10), trail=Trail("equity", "at_once")).kind == "trailing"


def test_whole_numbers_become_decimals() -> None:
    assert isinstance(rule_set(target=8).target, Decimal)


BAD: list[tuple[str, object]] = [
    ("target", NAN), ("target", D("Infinity")), ("target", 0), ("target", D("-1")),
    ("target", 1.5), ("target", "8"), ("target", True), ("max_stop", 101),
    ("min_confidence", 101), ("min_confidence", NAN), ("max_position", NAN),
    ("max_positions", 0), ("max_positions", D(2)), ("max_positions", True), ("min_days", 0),
    ("consistency", 0), ("consistency", D("100.1")), ("zone", "Europe/Nowhere"), ("zone", "../x"),
    ("zone", ""), ("zone", "America"), ("source", ""), ("reset", "17:00"), ("reset", 17),
    ("close_on_breach", 1),
    ("drawdown", 10), ("unheard_of", 1), ("name", "other"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD)
def test_an_invalid_field_is_refused_by_its_name(field: str, value: object) -> None:
    assert list(faults(**{field: value})) == [f"mine.{field}"]


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({"percent": NAN}, "percent"),
        ({"percent": 0}, "percent"),
        ({"percent": 101}, "percent"),
        ({"percent": 5, "watched": "cash"}, "watched"),
        ({"percent": 5, "percent_of": "basis"}, "percent_of"),
        ({"percent": 5, "kind": "static"}, "kind"),
        ({"percent": 5, "trail": {"peak": "equity"}}, "trail.rises"),
        ({"percent": 5, "trail": {"peak": "equity", "rises": "daily"}}, "trail.rises"),
    ],
)
def test_an_invalid_value_in_a_table_has_its_full_name(
    table: dict[str, object], field: str
) -> None:
    assert list(faults(drawdown=table)) == [f"mine.drawdown.{field}"]


def test_all_invalid_values_are_named_at_once() -> None:
    found = faults(target=NAN, min_days=0, daily_loss={"percent": 5})
    assert found.keys() == {"mine.target", "mine.min_days", "mine.daily_loss.basis"}
    assert found["mine.daily_loss.basis"] == "is missing"


def test_source_and_zone_are_required() -> None:
    with pytest.raises(InvalidInput, match=r"mine\.source: is missing; mine\.zone: is missing"):
        parse("mine", {})


@pytest.mark.parametrize("name", ["off", "Mine", "my set", "-mine", "mine_1", ""])
def test_a_name_is_lower_case_with_dashes_and_not_off(name: str) -> None:
    with pytest.raises(InvalidInput):
        parse(name, PLAIN)


def test_min_day_profit_needs_min_days() -> None:
    assert "min_days" in faults(min_day_profit=D("0.5"))["mine.min_day_profit"]


def test_a_rule_set_made_in_code_is_checked_and_immutable() -> None:
    with pytest.raises(ValidationError):
        Drawdown(NAN)
    made = rule_set(target=8)
    with pytest.raises(ValidationError):
        replace(made, target=NAN)
    with pytest.raises(FrozenInstanceError):
        made.target = D(9)  # type: ignore[misc]
