"""System checks: what would trade otherwise than it was meant is said before anything is traded."""

import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from argo.errors import InvalidInput
from execution.prop_firm.presets import load
from signals.market.instruments import normalised

SYMBOL = re.compile(r"[A-Za-z0-9.\-/=^:_&]{1,32}")
"""As signals spell them."""
NEW_YORK = "XNYS"
"""The exchange of most, which is known without a look."""


@register()
def prop_firm(**_: object) -> list[CheckMessage]:
    """The rule set that is named is there, and can be read."""
    own = Path(settings.PROP_FIRM_FILE) if settings.PROP_FIRM_FILE else None
    try:
        load(settings.PROP_FIRM, own)
    except InvalidInput as error:
        hint = "Correct PROP_FIRM or PROP_FIRM_FILE; off means that there is no firm."
        return [Error(f"{error}.", hint=hint, id="execution.E001")]
    return []


@register()
def broker_has_keys(**_: object) -> list[CheckMessage]:
    """Alpaca knows its customers by their keys."""
    if settings.BROKER != "alpaca" or (settings.ALPACA_API_KEY and settings.ALPACA_SECRET_KEY):
        return []
    hint = "Set ALPACA_API_KEY and ALPACA_SECRET_KEY, or BROKER=paper."
    return [Error("BROKER=alpaca, but its keys are missing.", hint=hint, id="execution.E002")]


@register()
def live_is_said_in_full(**_: object) -> list[CheckMessage]:
    """Real money is traded by one word alone."""
    if settings.ALPACA_LIVE in ("", "no", "yes"):
        return []
    hint = "Write yes in full to trade with real money; leave it empty for paper."
    text = f"ALPACA_LIVE is {settings.ALPACA_LIVE!r}, which may mean anything."
    return [Error(text, hint=hint, id="execution.E003")]


@register()
def zone(**_: object) -> list[CheckMessage]:
    """A trading day begins at midnight of a place that there is."""
    try:
        ZoneInfo(settings.TRADING_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "It is a time zone's name, like America/New_York."
        text = f"TRADING_ZONE is {settings.TRADING_ZONE!r}, and there is no such zone."
        return [Error(text, hint=hint, id="execution.E004")]
    return []


@register()
def exchange(**_: object) -> list[CheckMessage]:
    """Stocks trade on an exchange whose calendar there is."""
    name = settings.MARKET_EXCHANGE
    if name == NEW_YORK or name in _exchanges():
        return []
    hint = "It is the name of a calendar of exchange_calendars: XNYS is New York, XLON London."
    text = f"MARKET_EXCHANGE is {name!r}, and there is no such exchange."
    return [Error(text, hint=hint, id="execution.E007")]


def _exchanges() -> list[str]:
    """Loaded only where it is wanted: with pandas it takes half a second and 80 MiB."""
    from exchange_calendars import get_calendar_names

    return list(get_calendar_names())


@register()
def groups(**_: object) -> list[CheckMessage]:
    """A group that does not hold two symbols limits nothing, and nobody would notice."""
    return [
        Error(
            f"RISK_GROUPS: {'+'.join(group)!r} is no group.",
            hint="Write AAPL+MSFT+GOOG, and several groups with commas between.",
            id="execution.E005",
        )
        for group in settings.RISK_GROUPS
        if len({normalised(name) for name in group}) < 2 or not all(map(str.strip, group))
    ]


@register()
def symbols_are_one_each(**_: object) -> list[CheckMessage]:
    """A list that is separated otherwise would be one symbol that nothing has."""
    return [
        Error(
            f"{setting}: {name!r} is no symbol.",
            hint="Write AAPL,BTC-USD: symbols with commas between.",
            id="execution.E006",
        )
        for setting, name in _symbols()
        if not SYMBOL.fullmatch(name)
    ]


def _symbols() -> Iterator[tuple[str, str]]:
    for setting in ("RISK_ALLOWED", "RISK_RESTRICTED"):
        for name in getattr(settings, setting):
            yield setting, name


@register()
def symbols_contradict(**_: object) -> list[CheckMessage]:
    """What is allowed and restricted both is not traded; it is said, lest it be a surprise."""
    allowed = set(map(normalised, settings.RISK_ALLOWED))
    both = allowed & set(map(normalised, settings.RISK_RESTRICTED))
    if not both:
        return []
    text = f"{', '.join(sorted(both))} is in RISK_ALLOWED and in RISK_RESTRICTED: it is not traded."
    return [Warning(text, id="execution.W002")]


@register()
def real_money(**_: object) -> list[CheckMessage]:
    """Nobody trades real money without having read so."""
    if not (
        settings.AUTO_EXECUTE and settings.BROKER == "alpaca" and settings.ALPACA_LIVE == "yes"
    ):
        return []
    hint = "Set AUTO_EXECUTE=no or take ALPACA_LIVE away if that is not meant."
    text = "Every signal that the rules allow is traded with real money."
    return [Warning(text, hint=hint, id="execution.W001")]
