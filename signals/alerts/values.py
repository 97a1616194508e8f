"""Turns what senders write into numbers, times and words. Each raises ValueError."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from signals.timestamps import parse_utc

UNRESOLVED = re.compile(r"\{\{[^{}]*\}\}|%[a-z][a-z_]{1,40}%|\$\{[^{}]*\}")
"""Placeholders of senders: `{{close}}`, `%last_price%`, `${price}`."""
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_DOTTED = re.compile(r"(\d{4})\.(\d\d)\.(\d\d)[ T](\d\d:\d\d(?::\d\d)?)")
"""How MetaTrader writes a time."""
MILLISECONDS_FROM = 1e11
"""A larger number of seconds would be after the year 5000: it counts milliseconds."""
SHOWN = 60


class Meaning(NamedTuple):
    """What a word of an alert asks for: to open on a side, or to end signals, of one side or all.

    `opens` is BUY, SELL or empty; `ends` is BUY, SELL, `all` or empty.
    """

    opens: str = ""
    ends: str = ""


ALL = "all"
MEANINGS: Mapping[str, Meaning] = {
    "BUY": Meaning(opens="BUY"),
    "SELL": Meaning(opens="SELL"),
    "EXIT": Meaning(ends=ALL),
    "EXIT_LONG": Meaning(ends="BUY"),
    "EXIT_SHORT": Meaning(ends="SELL"),
}
"""The words that a mapping translates a sender's own words into."""
LONG, SHORT, FLAT = POSITIONS = "long", "short", "flat"


def text(value: Any) -> str:  # noqa: ANN401  # any JSON
    """Return a text or a number as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be a text or a number")
    found = str(value).strip()
    if UNRESOLVED.search(found):
        raise ValueError(f"the sender did not fill in {shown(found)}")
    return found


def number(value: Any) -> float:  # noqa: ANN401  # any JSON
    """Return a number, also from text with commas between thousands."""
    found = text(value)
    if _THOUSANDS.fullmatch(found):
        found = found.replace(",", "")
    elif _DECIMAL_COMMA.fullmatch(found):
        raise ValueError(f"{shown(found)} has a decimal comma: send a point")
    if not _NUMBER.fullmatch(found):
        raise ValueError(f"{shown(found)} is not a number")
    result = float(found)
    if not math.isfinite(result):
        raise ValueError(f"{shown(found)} is too large")
    return result


def moment(value: Any, zone: str = "") -> datetime:  # noqa: ANN401  # any JSON
    """Return a time in UTC: ISO 8601, seconds or milliseconds since 1970, or as MetaTrader writes.

    A time without an offset is of the time zone `zone`; without a zone it is refused.
    """
    found = text(value)
    if _NUMBER.fullmatch(found):
        return _since_1970(float(found))
    if dotted := _DOTTED.fullmatch(found):
        year, month, day, clock = dotted.groups()
        found = f"{year}-{month}-{day}T{clock}"
    try:
        parsed = datetime.fromisoformat(found)
    except ValueError:
        raise ValueError(f"{shown(found)} is not a time: send ISO 8601") from None
    if parsed.tzinfo is None and zone:
        return parse_utc(parsed.replace(tzinfo=ZoneInfo(zone)))
    return parse_utc(parsed)


def _since_1970(seconds: float) -> datetime:
    if seconds >= MILLISECONDS_FROM:
        seconds /= 1000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("is no time that can be") from None


def position(value: Any) -> str:  # noqa: ANN401  # any JSON
    """Return `long`, `short` or `flat`."""
    found = text(value).lower()
    if found not in (LONG, SHORT, FLAT):
        raise ValueError(f"{shown(found)} is not long, short or flat")
    return found


def shown(found: str) -> str:
    """Return the beginning of a text, for an error."""
    return repr(found if len(found) <= SHOWN else f"{found[:SHOWN]}...")
