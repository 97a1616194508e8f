"""A spelling that is being read, and the result."""

from typing import NamedTuple

from signals.market.instruments.kinds import Kind

ALWAYS, FOREX, METAL_HOURS, HOME, NOT_KNOWN = "always", "forex", "metals", "exchange", "unknown"
"""Names of trading hours; any other name is a calendar of `exchange_calendars`."""


class Spelling(NamedTuple):
    """A spelling in capitals, without its exchange; `venue` is what that exchange says.

    `said` is the kind by the sender's word, `exchange` the calendar of the home exchange.
    """

    text: str
    said: Kind | str | None
    venue: str | None
    exchange: str


class Reading(NamedTuple):
    """The instrument that a spelling means: its one name, kind, base and quote, and hours.

    `why` has a sentence for each thing that decided it.
    """

    name: str
    kind: Kind
    base: str = ""
    quote: str = ""
    hours: str = NOT_KNOWN
    why: tuple[str, ...] = ()


def unknown(name: str, why: str, base: str = "", quote: str = "") -> Reading:
    """Return that the kind is not known, and why not."""
    return Reading(name, Kind.UNKNOWN, base, quote, NOT_KNOWN, (why,))
