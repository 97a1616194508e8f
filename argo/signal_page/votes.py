"""The votes of a signal as bars: to the right for it, to the left against it."""

import math
from typing import Any, NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

WIDTH = 200
MIDDLE = WIDTH / 2


class Vote(NamedTuple):
    """A source's vote, as its sender gave it, with its bar."""

    source: str
    direction: str
    confidence: float | None
    weight: str
    figures: list[tuple[str, str]]
    bar: SafeString


def votes_of(votes: Any, action: str) -> list[Vote]:  # noqa: ANN401  # JSON of any sender
    """Return each vote of Argo's own form; nothing for other JSON, which is shown as it is."""
    if not (isinstance(votes, list) and all(isinstance(vote, dict) for vote in votes)):
        return []
    return [_vote(vote, action) for vote in votes if vote.get("source")]


def _vote(vote: dict[str, Any], action: str) -> Vote:
    direction, confidence = str(vote.get("direction") or ""), _number(vote.get("confidence"))
    figures = vote.get("figures")
    told = figures if isinstance(figures, dict) else {}
    return Vote(
        str(vote["source"]),
        direction,
        confidence,
        str(vote.get("weight", "")),
        [(str(name), _text(value)) for name, value in told.items()],
        _bar(direction, confidence if direction else None, action),
    )


def _bar(direction: str, confidence: float | None, action: str) -> SafeString:
    if confidence is None:
        return SafeString("")
    length = round(MIDDLE * min(100.0, max(0.0, confidence)) / 100, 1)
    is_for = direction == action
    return format_html(
        '<svg class="vote" role="img" aria-label="{} with a confidence of {}" '
        'viewBox="0 0 {} 14"><line class="grid" x1="{}" x2="{}" y1="0" y2="14"/>'
        '<rect class="bar {}" x="{}" y="3" width="{}" height="8" rx="2"/></svg>',
        direction, f"{confidence:.1f}", WIDTH, MIDDLE, MIDDLE,
        "good" if is_for else "bad", MIDDLE if is_for else MIDDLE - length, length,
    )  # fmt: skip


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
