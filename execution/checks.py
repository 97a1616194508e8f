"""System checks: they report settings that would trade otherwise than intended, before a trade."""

import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from argo.errors import InvalidInput
from execution.prop_firm.presets import load
from signals.instruments import name_of
from signals.management.command import OWN_CHECKS

SYMBOL = re.compile(r"[A-Za-z0-9.\-/=^:_&]{1,32}")
"""The spelling of symbols in signals."""
NEW_YORK = "XNYS"
"""The usual exchange, which needs no look-up."""


@register(OWN_CHECKS)
def prop_firm(**_: object) -> list[CheckMessage]:
    """Report a rule set of PROP_FIRM that is missing or cannot be read."""
    own = Path(settings.PROP_FIRM_FILE) if settings.PROP_FIRM_FILE else None
    try:
        load(settings.PROP_FIRM, own)
    except InvalidInput as error:
        hint = "Correct PROP_FIRM or PROP_FIRM_FILE; off means no prop firm."
        return [Error(f"{error}.", hint=hint, id="execution.E001")]
    return []


@register(OWN_CHECKS)
def broker_has_keys(**_: object) -> list[CheckMessage]:
    """Report missing keys of Alpaca."""
    if settings.BROKER != "alpaca" or (settings.ALPACA_API_KEY and settings.ALPACA_SECRET_KEY):
        return []
    hint = "Set ALPACA_API_KEY and ALPACA_SECRET_KEY, or BROKER=paper."
    return [Error("BROKER=alpaca, but its keys are missing.", hint=hint, id="execution.E002")]


@register(OWN_CHECKS)
def live_is_clear(**_: object) -> list[CheckMessage]:
    """Report an ALPACA_LIVE that is neither yes, no nor empty: real money needs a clear word."""
    if settings.ALPACA_LIVE in ("", "no", "yes"):
        return []
    hint = "Write yes in full to trade with real money; leave it empty for paper."
    text = f"ALPACA_LIVE is {settings.ALPACA_LIVE!r}, which is not clear."
    return [Error(text, hint=hint, id="execution.E003")]


@register(OWN_CHECKS)
def zone(**_: object) -> list[CheckMessage]:
    """Report an unknown time zone in TRADING_ZONE."""
    try:
        ZoneInfo(settings.TRADING_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "Use the name of a time zone, such as America/New_York."
        text = f"TRADING_ZONE is {settings.TRADING_ZONE!r}, which is not a time zone."
        return [Error(text, hint=hint, id="execution.E004")]
    return []


@register(OWN_CHECKS)
def exchange(**_: object) -> list[CheckMessage]:
    """Report an exchange in MARKET_EXCHANGE that has no calendar."""
    name = settings.MARKET_EXCHANGE
    if name == NEW_YORK or name in _exchanges():
        return []
    hint = "Use the name of a calendar of exchange_calendars: XNYS is New York, XLON is London."
    text = f"MARKET_EXCHANGE is {name!r}, which is not an exchange."
    return [Error(text, hint=hint, id="execution.E007")]


def _exchanges() -> list[str]:
    """Return the names of all calendars; loaded on demand, because pandas takes 80 MiB."""
    from exchange_calendars import get_calendar_names

    return list(get_calendar_names())


@register(OWN_CHECKS)
def groups(**_: object) -> list[CheckMessage]:
    """Report a group of RISK_GROUPS with fewer than two symbols: it limits nothing."""
    return [
        Error(
            f"RISK_GROUPS: {'+'.join(group)!r} is not a group.",
            hint="Write AAPL+MSFT+GOOG, and separate several groups with commas.",
            id="execution.E005",
        )
        for group in settings.RISK_GROUPS
        if len({name_of(name) for name in group}) < 2 or not all(map(str.strip, group))
    ]


@register(OWN_CHECKS)
def symbols_are_one_each(**_: object) -> list[CheckMessage]:
    """Report a text that is not a symbol, such as a list without commas."""
    return [
        Error(
            f"{setting}: {name!r} is not a symbol.",
            hint="Write AAPL,BTC-USD: symbols separated by commas.",
            id="execution.E006",
        )
        for setting, name in _symbols()
        if not SYMBOL.fullmatch(name)
    ]


def _symbols() -> Iterator[tuple[str, str]]:
    for setting in ("RISK_ALLOWED", "RISK_RESTRICTED"):
        for name in getattr(settings, setting):
            yield setting, name


@register(OWN_CHECKS)
def symbols_contradict(**_: object) -> list[CheckMessage]:
    """Warn of symbols that are both allowed and restricted: they are not traded."""
    allowed = set(map(name_of, settings.RISK_ALLOWED))
    both = allowed & set(map(name_of, settings.RISK_RESTRICTED))
    if not both:
        return []
    text = (
        f"{', '.join(sorted(both))} is in both RISK_ALLOWED and RISK_RESTRICTED, and is not traded."
    )
    return [Warning(text, id="execution.W002")]


@register(OWN_CHECKS)
def real_money(**_: object) -> list[CheckMessage]:
    """Warn that real money is traded."""
    if not (
        settings.AUTO_EXECUTE and settings.BROKER == "alpaca" and settings.ALPACA_LIVE == "yes"
    ):
        return []
    hint = "Set AUTO_EXECUTE=no or remove ALPACA_LIVE if you do not want that."
    text = "Every signal that the rules allow is traded with real money."
    return [Warning(text, hint=hint, id="execution.W001")]
