"""A comparison as an HTML page."""

from typing import Any

from django.template.loader import render_to_string

from argo.reports.compare.differences import NOT_COMPUTED
from argo.reports.compare.text import (
    TITLES,
    common_reason,
    difference_text,
    interval_texts,
    side_text,
)
from argo.reports.style import complete_file
from argo.reports.wording import figure_row

Section = dict[str, Any]


def comparison_page(compared: Section) -> str:
    """Return the comparison as an HTML document that is complete in itself."""
    context = comparison_context(compared) | complete_file(compared)
    return render_to_string("reports/compare.html", context)


def comparison_context(compared: Section) -> Section:
    """Return what the page shows: texts for people."""
    return {
        "report": compared,
        "about": [(side.upper(), side_text(compared[side])) for side in ("a", "b")],
        "counts": list(compared["counts"].items()),
        "parts": [(title, *_rows(compared[name])) for name, title in TITLES],
    }


def _rows(section: Section) -> tuple[list[Section], str | None]:
    """Return the rows, and why none of them has an interval if that has one reason."""
    return [_row(name, row) for name, row in section.items()], common_reason(section)


def _row(name: str, row: Section) -> Section:
    found = row["difference"]
    interval, reason = found["interval"], found["no_interval_because"]
    return {
        "title": figure_row(name, row["a"])["title"],
        "definition": row["a"]["definition"],
        "sides": [
            {"figure": figure_row(name, row[side]), "is_better": found["better"] == side}
            for side in ("a", "b")
        ],
        "value": None if found["value"] is None else difference_text(name, found["value"]),
        "interval": interval and interval_texts(name, interval),
        "why": "" if reason == NOT_COMPUTED else reason,
    }
