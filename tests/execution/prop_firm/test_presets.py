"""Rule sets are found by name, in Argo's file and in the user's own."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from argo.errors import InvalidInput
from execution.prop_firm.presets import PRESETS, load, names
from execution.prop_firm.rule_set import OFF, RuleSet

OWN = """
[mine]
source = "my contract, 2026"
zone = "Europe/Berlin"
target = 8.25
"""


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "firms.toml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(name: str) -> RuleSet:
    found = load(name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", [name for name in names() if name != OFF])
def test_each_preset_is_complete_and_names_its_source(name: str) -> None:
    found = loaded(name)
    assert found.name == name
    assert re.search(r"\b20\d\d\b", found.source)
    assert found.drawdown is not None


def test_the_presets_tell_the_user_to_check_them() -> None:
    assert "Firms change their rules" in PRESETS.read_text(encoding="utf-8")


def test_known_rules_of_known_programmes() -> None:
    ftmo, topstep = loaded("ftmo-2-step-challenge"), loaded("topstep-50k")
    assert ftmo.drawdown is not None
    assert [ftmo.drawdown.percent, ftmo.drawdown.kind, ftmo.min_days] == [10, "static", 4]
    assert ftmo.daily_loss is not None
    assert [ftmo.daily_loss.percent, ftmo.daily_loss.percent_of] == [5, "start"]
    assert topstep.drawdown is not None
    assert topstep.drawdown.trail is not None
    assert topstep.drawdown.trail.stops_at_start
    assert topstep.flat is not None


def test_off_means_no_rule_set(tmp_path: Path) -> None:
    assert load(OFF) is None
    assert load(OFF, tmp_path / "not there.toml") is None


def test_the_users_own_set_is_found_with_exact_decimals(tmp_path: Path) -> None:
    found = load("mine", own(tmp_path, OWN))
    assert found is not None
    assert found.target == Decimal("8.25")
    assert found.zone == "Europe/Berlin"


def test_presets_are_found_beside_the_users_own_file(tmp_path: Path) -> None:
    assert load("topstep-50k", own(tmp_path, OWN)) == load("topstep-50k")


def test_an_unknown_name_is_refused_with_the_known_names(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        load("ftmo", own(tmp_path, OWN))
    for there in ("PROP_FIRM", "'ftmo'", "off", "mine", "ftmo-2-step-challenge"):
        assert there in str(refused.value)


def test_a_name_in_both_files_is_refused(tmp_path: Path) -> None:
    path = own(tmp_path, OWN.replace("[mine]", "[topstep-50k]"))
    with pytest.raises(InvalidInput, match="is a preset's name too"):
        load("topstep-50k", path)


def test_an_invalid_value_names_file_set_and_field(tmp_path: Path) -> None:
    path = own(tmp_path, OWN.replace("8.25", "nan"))
    with pytest.raises(InvalidInput) as refused:
        load("mine", path)
    assert [error.field for error in refused.value.errors] == [f"{path}: mine.target"]


@pytest.mark.parametrize("text", ["mine = 3", "mine = ", "[mine]\n[mine]", "\0"])
def test_a_file_without_rule_sets_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match=r"firms\.toml"):
        load("mine", own(tmp_path, text))


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.toml: cannot be read"):
        load("topstep-50k", tmp_path / "nowhere.toml")
