"""Rule sets by name: Argo's presets, and those in a file of the user."""

import tomllib
from decimal import Decimal
from pathlib import Path

from argo.errors import FieldError, InvalidInput
from execution.prop_firm.rule_set import OFF, RuleSet, parse

PRESETS = Path(__file__).with_name("presets.toml")
SETTING = "PROP_FIRM"


def names(own: Path | None = None) -> list[str]:
    """Return every name that `load` accepts, "off" first. Raises `InvalidInput` if a file is
    unreadable."""
    return [OFF, *sorted({*_tables(PRESETS), *(_tables(own) if own else ())})]


def load(name: str, own: Path | None = None) -> RuleSet | None:
    """Return the rule set of that name: a preset, or a table of the TOML file `own`; None for
    "off".

    Raises `InvalidInput` if no file has the name (listing those that exist), if both have it (it
    would not be clear which rules apply), and for every invalid value, with its file, set and
    field.
    """
    if name == OFF:
        return None
    found = [path for path in (PRESETS, own) if path and name in _tables(path)]
    if not found:
        raise _refused(SETTING, f"there is no rule set {name!r}; there are {', '.join(names(own))}")
    if len(found) > 1:
        raise _refused(f"{own}: {name}", "is a preset's name too; choose another")
    return _parsed(found[0], name)


def _parsed(path: Path, name: str) -> RuleSet:
    table = _tables(path)[name]
    if not isinstance(table, dict):
        raise _refused(f"{path}: {name}", "must be a table")
    try:
        return parse(name, table)
    except InvalidInput as error:
        faults = [FieldError(f"{path}: {each.field}", each.message) for each in error.errors]
        raise InvalidInput(faults) from None


def _tables(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise _refused(str(path), f"cannot be read: {error}") from error


def _refused(field: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(field, message)])
