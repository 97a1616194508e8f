"""The stored results of backtests as a table, to compare what was tried."""

from collections.abc import Sequence
from typing import Any

from signals.backtests.results import Kept

COLUMNS = ("signals", "entered", "closed", "wins", "losses", "expired", "average_pct", "total_pct")
"""The figures of the result that the table shows."""
WIDTH = 12


def listed(found: Kept) -> dict[str, Any]:
    """Return one result with its parameters and figures, as plain values."""
    result = found.result
    return {
        "path": str(found.path),
        "made_at": found.made_at,
        "problem": found.problem,
        **{name: result.get(name) for name in (
            "parameters", "parameters_sha256", "data_sha256", "version", "result", "account",
        )},
    }  # fmt: skip


def as_table(found: Sequence[Kept]) -> str:
    """Return a line for each result: when it was made, its figures, and how it was traded."""
    if not found:
        return "No result is stored yet: run backtest_signals."
    head = f"{'made at (UTC)':<24}" + "".join(f"{name:>{WIDTH}}" for name in COLUMNS) + "  rules"
    return "\n".join([head, *map(_line, found)])


def _line(found: Kept) -> str:
    if found.problem:
        return f"{found.made_at:<24}  {found.problem}"
    figures = found.result["result"]
    cells = "".join(f"{_cell(name, figures.get(name)):>{WIDTH}}" for name in COLUMNS)
    return f"{found.made_at:<24}{cells}  {_rules(found.result)}"


def _cell(name: str, value: object) -> str:
    if not isinstance(value, int | float):
        return "-"
    return f"{value:.2f}%" if name.endswith("_pct") else f"{value:,}"


def _rules(result: dict[str, Any]) -> str:
    """Return the filter and the rules in a few words."""
    parameters = result.get("parameters") or {}
    chosen, rules = parameters.get("signals") or {}, parameters.get("rules") or {}
    words = [f"{name} {value}" for name, value in chosen.items()]
    words += [f"{name} {value}" for name, value in rules.items()
              if name in ("entry", "delay", "spread", "slippage", "fee")]  # fmt: skip
    return ", ".join(words + (["on one account"] if "account" in result else []))
