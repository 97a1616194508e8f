"""The layouts of a report: in the frame of the site, or complete in one file."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

_FOLDER = Path(__file__).parents[1] / "static" / "argo"
_FILES = ("tokens.css", "report.css", "report-file.css")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return what a report needs to be a page of the site."""
    return admin.site.each_context(request) | {"layout": "reports/framed.html"}


def complete_file(report: dict[str, Any]) -> dict[str, Any]:
    """Return what a report needs to be a file of its own: the stylesheets that pages load, and the
    foot of each printed page, with the date of the data and the version.

    A served page has no such foot: its text would have to be an inline style.
    """
    data = report["filter"].get("as_of", report["made_at"]) if "filter" in report else None
    moment = datetime.fromisoformat(data or report["made_at"])
    text = f"Data of {moment:%Y-%m-%d %H:%M} UTC, Argo {report['version']}"
    foot = f'@page {{ @bottom-left {{ content: "{text}"; font: 9px sans-serif; color: #444; }} }}'
    safe = mark_safe(foot)  # noqa: S308  # numbers and the version
    return {"layout": "reports/file.html", "style": _style(), "foot": safe}


@cache
def _style() -> SafeString:
    text = "".join((_FOLDER / name).read_text(encoding="utf-8") for name in _FILES)
    return mark_safe(text)  # noqa: S308  # files of Argo itself
