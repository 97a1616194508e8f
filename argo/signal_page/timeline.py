"""The timeline of a signal's page: each event with its name for people and what it says."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from argo.lifecycle import Event

HIDDEN = {"sha256", "journal_segment", "journal_byte", "created_at"}
"""Details that another part of the page shows."""


class Entry(NamedTuple):
    """An event: its time, what happened, and its details."""

    at: Any
    title: str
    details: list[tuple[str, str]]


def timeline(events: Iterable[Event]) -> list[Entry]:
    """Return the events for people, in their order."""
    return [
        Entry(event.at, event.what.replace("_", " "), list(_details(event.detail)))
        for event in events
    ]


def _details(detail: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in detail.items():
        if name not in HIDDEN and (text := _text(value)):
            yield name.replace("_", " "), text


def _text(value: object) -> str:
    """Return the value for people: reasons by their sentence, changes by their fields."""
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return "; ".join(str(each.get("text", each)) for each in value)
    if isinstance(value, dict):
        told = {name: _text(each) for name, each in value.items()}
        return ", ".join(f"{name} {text}" for name, text in told.items() if text)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
