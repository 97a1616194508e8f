"""A badge to embed elsewhere: one line of a track record as SVG, without scripts or fonts."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from argo.reports.wording import number_text

Section = dict[str, Any]
CHARACTER, EDGE = 6.6, 9
"""Width of a character of the typeface at 11 pixels, on average, and of the space at each end."""
PROVED, NOT_PROVED = "#0f766e", "#b3261e"


def badge(record: Section | None, strategy: str) -> SafeString:
    """Return the badge of a strategy; it says so if the record has faults, or is not published."""
    return _drawn(strategy, *_said(record))


def _said(record: Section | None) -> tuple[str, str]:
    """Return the words, and the colour behind them."""
    if record is None:
        return "no public record", NOT_PROVED
    if not record["accepted"]:
        return "record not accepted", NOT_PROVED
    share, closed = record["figures"]["record_win_rate"], record["counts"]["closed"]
    if share["value"] is None:
        return "verified: nothing closed yet", PROVED
    missing = record["counts"]["counted_as_losses"]
    hidden = f", {missing:,} not shown" if missing else ""
    won = number_text("win_rate", share["value"])
    return f"verified: {won} of {closed:,} won{hidden}", PROVED


def _drawn(left: str, right: str, colour: str) -> SafeString:
    name = left if len(left) <= 40 else f"{left[:39]}…"
    begin, end = (round(len(text) * CHARACTER + 2 * EDGE) for text in (name, right))
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="22" role="img" '
        'aria-label="{1}: {2}"><title>{1}: {2}</title>'
        '<rect width="{0}" height="22" rx="4" fill="#1b2229"/>'
        '<path d="M{3} 0h{4}a4 4 0 0 1 4 4v14a4 4 0 0 1-4 4h-{4}z" fill="{5}"/>'
        '<g fill="#fff" font-family="system-ui,Verdana,sans-serif" font-size="11">'
        '<text x="{6}" y="15">{1}</text><text x="{7}" y="15">{2}</text></g></svg>',
        begin + end, name, right, begin, end - 4, colour, EDGE, begin + EDGE,
    )  # fmt: skip
