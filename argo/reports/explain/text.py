"""A story as text: what comes from outside is on one line, and nothing in it is obeyed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

from argo.reports.divergence.story_text import divergence_story_lines
from argo.reports.explain.schemas import (
    BarOut,
    Check,
    DecisionStory,
    Made,
    OutcomeStory,
    Prices,
    Stored,
    Story,
)
from signals.timestamps import utc_text

WIDTH, NAME = 100, 20
BARS = 3
COLUMNS = ("open", "high", "low", "close", "volume")
OF_CONTEXT = (
    "origin", "regime", "sources", "agreement", "raw_confidence", "calibration_version",
    "reasoning", "symbol_as_sent",
)  # fmt: skip
LONGEST = 2000
"""Characters of one text that are shown; the JSON has all of it."""
UNKNOWN_LATENCY = "not known: a time is missing, or the times are of different clocks"
MARKS = {True: "ok", False: "no", None: "?"}
Fields = Mapping[str, Any]


def story_text(story: Story) -> str:
    """Return the story for a terminal, at most about 100 characters wide."""
    lines = [
        *_wrapped(story.headline),
        *_section("Signal", _signal(story)),
        *_section("Made", _made(story.made)),
        *_section("Prices", _prices(story.prices)),
        *_section("Stored", _stored(story.stored)),
        *_section("Sync", _row(story.sync, "It is not to be sent.")),
        *_section("Decision", _decision(story.decision)),
        *_section("Orders", _rows(story.orders, "leg", "There is no order.")),
        *_section("Fills", _rows(story.fills, "leg", "Nothing was filled.")),
        *_section("Position", _row(story.position, "There is no position.")),
        *_section("Outcome", _outcome(story.outcome)),
        *_section("Changes", _changes(story.changes)),
        *_section("If it had been traded", _row(story.counterfactual, "It is not followed.")),
        *_section("Signal, backtest and account", _divergence(story.divergence)),
        *_section("Timeline", _timeline(story)),
    ]
    return "\n".join(lines)


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", title, "-" * len(title), *lines]


def _divergence(found: Fields | None) -> Iterator[str]:
    if found is None:
        yield "There is no position."
        return
    for name, value in divergence_story_lines(found):
        yield f"{name:<28}{value}"


def _signal(story: Story) -> Iterator[str]:
    for name, value in story.signal.items():
        if name not in ("outcome", "exit_price", "profit_loss_pct", "sha256"):
            yield from _pair(name, value)
    about = story.instrument
    if about is None:
        yield from _pair("instrument", "not known: the file of instruments is invalid")
        return
    words = (about["symbol"], about["kind"], f"quoted in {about['quote'] or '?'}", about["hours"])
    yield from _pair("instrument", ", ".join(words))


def _made(made: Made) -> Iterator[str]:
    for name in OF_CONTEXT:
        yield from _pair(name, getattr(made, name))
    if made.made_at is None:
        yield from _pair("time", "not a valid time")
    yield from _votes(made.votes)
    if made.extra:
        yield from _pair("extra", made.extra)
    yield from _checks("gate", made.gates)
    for note in made.notes:
        yield from _wrapped(note)


def _votes(votes: Any) -> Iterator[str]:  # noqa: ANN401  # JSON, possibly of another sender
    if not (isinstance(votes, list) and all(isinstance(vote, dict) for vote in votes)):
        yield from _pair("votes", votes)
        return
    for vote in votes:
        figures = vote.get("figures")
        told = figures if isinstance(figures, dict) else {}
        words = [
            f"{_value(vote.get('direction')) or 'abstains':<8}",
            f"{_value(vote.get('confidence')):>8}",
            f"weight {_value(vote.get('weight'))}",
            *(f"{name} {_value(value)}" for name, value in told.items()),
        ]
        yield from _pair(f"vote {vote.get('source')}", "  ".join(words))


def _prices(prices: Prices) -> Iterator[str]:
    if prices.problem:
        yield from _wrapped(f"{prices.problem}.")
    if prices.bars_seen:
        yield from _pair("bars seen", f"{prices.bars_seen}, the last ones:")
        yield f"{'':<{NAME}} " + "".join(f" {name:>12}" for name in COLUMNS)
        yield from map(bar_line, prices.seen[-BARS:])
    for note in prices.notes:
        yield from _wrapped(f"Note: {note}.")
    if prices.chart:
        yield ""
        yield from prices.chart.splitlines()


def bar_line(bar: BarOut) -> str:
    """Return the close of a bar and its figures, each set apart from the next."""
    figures = "".join(f" {getattr(bar, name):>12.7g}" for name in COLUMNS)
    return f"{utc_text(bar.time):<{NAME}} {figures}"


def _stored(stored: Stored) -> Iterator[str]:
    yield from _pair("received_at", stored.received_at)
    yield from _pair("stored_at", stored.stored_at)
    late = UNKNOWN_LATENCY if stored.latency_ms is None else f"{stored.latency_ms:.1f} ms"
    yield from _pair("latency", late)
    place = f"segment {stored.segment}, byte {stored.byte}, of {stored.journal}"
    yield from _pair("journal", "no line" if stored.segment is None else place)
    yield from _pair("sha256", stored.sha256)
    words = {True: "yes", False: "NO", None: "not known"}
    yield from _pair("verifies", words[stored.valid])
    for finding in stored.findings:
        yield from _pair("finding", finding)


def _decision(decision: DecisionStory | None) -> Iterator[str]:
    if decision is None:
        yield "No decision was asked for."
        return
    for name in ("status", "account", "asked_by", "queued_at", "decided_at", "order_id"):
        yield from _pair(name, getattr(decision, name))
    yield from _checks("rule", decision.rules)
    for note in decision.notes:
        yield from _wrapped(note)
    for past in decision.earlier or []:
        yield from _pair("earlier", past)


def _checks(kind: str, checks: list[Check]) -> Iterator[str]:
    for check in checks:
        told = f"{MARKS[check.passed]:<3} {check.value}"
        yield from _pair(f"{kind} {check.code}", f"{told} | {check.limit}" if check.limit else told)


def _row(row: Fields | None, nothing: str) -> Iterator[str]:
    if row is None:
        yield nothing
        return
    for name, value in row.items():
        yield from _pair(name, value)


def _rows(rows: Sequence[Fields], title: str, nothing: str) -> Iterator[str]:
    if not rows:
        yield nothing
    for row in rows:
        told = (f"{name} {_value(value)}" for name, value in row.items() if _is_told(name, value))
        yield from _pair(row[title], "  ".join(told))


def _is_told(name: str, value: object) -> bool:
    return name not in ("leg", "symbol") and value not in (None, "")


def _outcome(ended: OutcomeStory) -> Iterator[str]:
    yield from _pair("outcome", ended.outcome or "open")
    yield from _pair("exit_price", ended.exit_price)
    yield from _pair("profit_loss_pct", ended.profit_loss_pct)
    if ended.decided_by_position:
        yield "Its position decided it."
    if ended.edited:
        yield "It was edited since."


def _changes(changes: Sequence[Fields]) -> Iterator[str]:
    if not changes:
        yield "Nothing was changed."
    for change in changes:
        moved = [
            f"{name}: {_value(change['before'].get(name)) or '-'} to {_value(value) or '-'}"
            for name, value in change["after"].items()
            if value != change["before"].get(name)
        ]
        yield from _pair(change["at"], f"{', '.join(moved)} ({change['who']}: {change['why']})")


def _timeline(story: Story) -> Iterator[str]:
    for event in story.timeline:
        yield f"{utc_text(event.at) if event.at else 'at an unknown time':<28} {event.what}"


def _pair(name: object, value: object) -> Iterator[str]:
    """Return a name with its value beside it, wrapped below itself; nothing without a value."""
    if value in (None, ""):
        return
    title = printable(str(name))
    first, indent = f"{title:<{NAME}} ", " " * (NAME + 1)
    yield from wrap(
        _value(value), WIDTH, initial_indent=first, subsequent_indent=indent,
        drop_whitespace=True, break_on_hyphens=False,
    ) or [title]  # fmt: skip


def _wrapped(text: str) -> list[str]:
    return wrap(printable(text), WIDTH)


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return printable(str(value))


def printable(text: str) -> str:
    """Return the text on one line, cut to a length; what does not print is escaped.

    So no text can pass for a line of the story, nor turn the direction of writing.
    """
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut
    )
