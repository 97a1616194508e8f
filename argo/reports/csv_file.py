"""The figures of a report, or of a comparison, as CSV: one row for each."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from signals.analysis.definitions import DEFINITIONS
from signals.transfer.cells import written

Section = dict[str, Any]
FIGURE = frozenset(("value", "n", "interval", "null_because"))
"""What a dictionary has that is a figure."""
UNITS = {"days": "days", "days_a_year": "days", "bars": "bars", "rejected": "candidates"}
"""The units of plain numbers; the others count signals."""


class Row(NamedTuple):
    """One figure; `group` is where in its section it is, empty if it is directly there."""

    section: str
    group: str
    name: str
    value: float | None
    n: int | None
    low: float | None
    high: float | None
    unit: str
    null_because: str | None


def figures_csv(report: Section) -> str:
    """Return every figure of a report or a comparison, with a header; what is null is empty.

    A text that a spreadsheet would run as a formula has an apostrophe before it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(Row._fields)
    writer.writerows([written(cell) for cell in row] for row in figure_rows(report))
    return text.getvalue()


def figure_rows(report: Section) -> Iterator[Row]:
    """Yield every figure, and every plain number, in the order of the report."""
    for section, content in report.items():
        if isinstance(content, dict):
            yield from _rows(section, (), content)


def _rows(section: str, path: Sequence[str], content: Section) -> Iterator[Row]:
    for name, value in content.items():
        if name == "bins":
            yield from (_bin(section, path, each) for each in value)
        elif isinstance(value, dict) and value.keys() >= FIGURE:
            yield _figure(section, path, name, value)
        elif isinstance(value, dict):
            yield from _rows(section, (*path, name), value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            group = ": ".join(path)
            unit = UNITS.get(name, "signals")
            yield Row(section, group, name, value, None, None, None, unit, None)


def _figure(section: str, path: Sequence[str], name: str, found: Section) -> Row:
    interval = found["interval"] or {}
    return Row(
        section, ": ".join(path), name, found["value"], found["n"], interval.get("low"),
        interval.get("high"), _unit(name, path), found["null_because"],
    )  # fmt: skip


def _unit(name: str, path: Sequence[str]) -> str:
    """Return the unit of a figure; in a comparison, where it is called `a`, that of its name."""
    defined = DEFINITIONS.get(name) or DEFINITIONS.get(path[-1] if path else "")
    return defined.unit if defined else ""


def _bin(section: str, path: Sequence[str], row: Section) -> Row:
    interval = row["interval"] or {}
    group = ": ".join((*path, "bins", f"{row['low']:.6g} to {row['high']:.6g}"))
    return Row(
        section, group, "share", row["share"], row["n"], interval.get("low"), interval.get("high"),
        "share, 0 to 1", None,
    )  # fmt: skip
