"""Reads stocks and ETFs: their exchange, share class, and series."""

import re

from signals.market.instruments.codes import (
    CALENDARS,
    ETFS,
    LONGEST_STOCK,
    SHARE_CURRENCIES,
    US,
    US_CALENDARS,
    US_SUFFIXES,
    VENUES,
)
from signals.market.instruments.kinds import Kind
from signals.market.instruments.spelling import HOME, Reading, Spelling, unknown

_SUFFIX = re.compile(r"(.+?)([. _:-])([A-Z_]{1,12}?)(?: EQUITY)?")
_CLASS = re.compile(r"([A-Z]{1,5})[./ _-]([A-MP-Z])")  # N and O are exchanges in data feeds
_PREFERRED = re.compile(r"([A-Z]{1,5})[./ _-]P(?:R)?[./ _-]?([A-Z]?)")
_SERIES = re.compile(r"([A-Z]{1,5})[./ _-](WS|WT|WTS|UN|RT|RI)")
_SERIES_NAMES = {"WT": "WS", "WTS": "WS", "UN": "U", "RI": "RT"}
_QUOTED = re.compile(r"([A-Z0-9.]{1,10})[-/_](?:USD|EUR|GBP|JPY|CHF|CAD|AUD)")
_JOINED = {"BRKA": "BRK.A", "BRKB": "BRK.B"}
"""Share classes without a separator; a guess would take other stocks for classes."""
_OPTION = re.compile(r"[A-Z]{1,6} ?\d{6}[CP]\d{8}")
_MAY_BE_COIN = re.compile(r"[A-Z0-9]{3,}(?:USD|EUR|GBP|JPY)")
_SHAPE = re.compile(r"[A-Z0-9][A-Z0-9&]{0,19}(?:\.(?:[A-Z]|PR[A-Z]?|WS|RT))?")


def equity(wanted: Spelling) -> Reading:
    """Return the stock or ETF that a spelling means; the kind `unknown` if it means none."""
    text, listing = _listing(wanted)
    name = _share(text, is_stock=wanted.said in (Kind.STOCK, Kind.ETF))
    if not _SHAPE.fullmatch(name):
        text = wanted.text or "an empty text"
        return unknown(wanted.text, f"{text} is not spelled like anything that Argo knows")
    if why := _why_not(name, wanted):
        return unknown(_named(name, listing, wanted.exchange), why)
    is_etf = wanted.said is Kind.ETF or (
        wanted.said is None and name in ETFS and listing in (None, US)
    )
    kind = Kind.ETF if is_etf else Kind.STOCK
    hours = _hours(listing, wanted.exchange)
    return Reading(
        _named(name, listing, wanted.exchange), kind, hours=hours,
        quote=share_currency(hours, wanted.exchange), why=_why(wanted, kind, listing),
    )  # fmt: skip


def share_currency(hours: str, exchange: str) -> str:
    """Return what shares with these hours are quoted in; an empty text if it is not known.

    `exchange` is the calendar of the home exchange.
    """
    return SHARE_CURRENCIES.get(exchange if hours == HOME else hours, "")


def _listing(wanted: Spelling) -> tuple[str, str | None]:
    """Return the text without the suffix of its exchange, and the exchange, if it is named."""
    if wanted.venue == US or wanted.venue in CALENDARS:
        return wanted.text, wanted.venue
    found = _SUFFIX.fullmatch(wanted.text)
    if found is None:
        return wanted.text, None
    text, separator, suffix = found.groups()
    if separator == "." and suffix in CALENDARS and suffix != "V":
        return text, suffix
    if separator == "." and (venue := VENUES.get(suffix)) in CALENDARS:
        return text, venue
    if suffix in US_SUFFIXES and (separator == "." or suffix in ("US", "US_EQ")):
        return text, US
    return wanted.text, None


def _share(text: str, *, is_stock: bool) -> str:
    """Return one spelling for a share class, a preferred share, a warrant, a unit, a right."""
    if is_stock and (found := _QUOTED.fullmatch(text)):
        text = found[1]
    if found := _CLASS.fullmatch(text):
        return f"{found[1]}.{found[2]}"
    if found := _PREFERRED.fullmatch(text):
        return f"{found[1]}.PR{found[2]}"
    if found := _SERIES.fullmatch(text):
        return f"{found[1]}.{_SERIES_NAMES.get(found[2], found[2])}"
    return _JOINED.get(text, text)


def _named(name: str, listing: str | None, exchange: str) -> str:
    return f"{name}.{listing}" if listing and not _is_home(listing, exchange) else name


def _hours(listing: str | None, exchange: str) -> str:
    if listing is None or _is_home(listing, exchange):
        return HOME
    return "XNYS" if listing == US else CALENDARS[listing]


def _is_home(listing: str, exchange: str) -> bool:
    if listing == US:
        return exchange in US_CALENDARS
    same = [each for each, calendar in CALENDARS.items() if calendar == exchange]
    return same == [listing]


def _why_not(name: str, wanted: Spelling) -> str | None:
    """Return why the name is not that of a stock or ETF; None if it may be."""
    if wanted.said not in (None, Kind.STOCK, Kind.ETF):
        return f"{name} is not spelled like a {str(wanted.said).replace('_', ' ')}"
    if _OPTION.fullmatch(name):
        return f"{name} is spelled like an option"
    is_long = len(name) > LONGEST_STOCK
    if wanted.said is None and wanted.venue is None and is_long and _MAY_BE_COIN.fullmatch(name):
        return f"{name} may be a stock or a coin that Argo does not know: the sender can say which"
    return None


def _why(wanted: Spelling, kind: Kind, listing: str | None) -> tuple[str, ...]:
    reasons = []
    if wanted.said is None:
        reasons.append("it is spelled like a stock" if kind is Kind.STOCK else "it is a known ETF")
    if listing:
        reasons.append(f"its exchange is named: {listing}")
    return tuple(reasons)
