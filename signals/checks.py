"""System checks of the journal, the market and the sources.

Their ids begin with `argo`, because people silence checks by id.
"""

from collections.abc import Sequence
from importlib.util import find_spec

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections

from argo.errors import InvalidInput
from signals import config, keys
from signals.calibration.versions import Unusable, usable
from signals.instruments import instruments, name_of
from signals.ledger.journal_state import journal_state
from signals.management.command import OWN_CHECKS
from signals.market.hours import exchange_hours
from signals.market.instruments import ALWAYS, FOREX, HOME, METAL_HOURS, OwnInstrument
from signals.models import ApiKey


@register(OWN_CHECKS)
def signal_sources(**_: object) -> list[CheckMessage]:
    """Report each source whose module is missing; the first cycle loads it and its `vote`."""
    return [
        Error(
            f"SIGNAL_SOURCES names {path!r}, and there is no such module.",
            hint="It takes a module with a function `vote`, beside manage.py or installed.",
            id="argo.E005",
        )
        for path in settings.SIGNAL_SOURCES
        if not _is_module(path)
    ]


def _is_module(path: str) -> bool:
    try:
        return find_spec(path) is not None
    except (ImportError, ValueError):  # its package is missing, or the name is invalid
        return False


@register(OWN_CHECKS)
def market(**_: object) -> list[CheckMessage]:
    """Report if MARKET_DATA lacks the folder or the keys that it needs."""
    wrong = {
        "files": not settings.MARKET_FOLDER.is_dir()
        and f"MARKET_FOLDER is not a folder: {settings.MARKET_FOLDER}",
        "alpaca": not (settings.ALPACA_API_KEY and settings.ALPACA_SECRET_KEY)
        and "ALPACA_API_KEY or ALPACA_SECRET_KEY is missing",
    }.get(settings.MARKET_DATA)
    if not wrong:
        return []
    hint = "Correct it, or set MARKET_DATA=sample: then signals are made only when asked for."
    return [Error(f"MARKET_DATA={settings.MARKET_DATA}, but {wrong}.", hint=hint, id="argo.E006")]


@register(OWN_CHECKS)
def market_has_symbols(**_: object) -> list[CheckMessage]:
    """Report a live market without symbols of its own: those of the sample are of the past."""
    if not settings.MARKET_IS_LIVE:
        return []
    try:
        is_sample = _names(settings.SAMPLE_SYMBOLS.split(",")) <= _names(settings.MARKET_SYMBOLS)
    except InvalidInput:
        return []  # `own_instruments` reports it
    if settings.MARKET_SYMBOLS and not is_sample:
        return []
    wrong = "has the symbols of the sample" if is_sample else "is not set"
    hint = "Name the symbols to look at, such as MARKET_SYMBOLS=AAPL,BTC-USD."
    text = f"MARKET_DATA={settings.MARKET_DATA}, but MARKET_SYMBOLS {wrong}."
    return [Error(text, hint=hint, id="argo.E011")]


def _names(symbols: Sequence[str]) -> set[str]:
    return set(map(name_of, symbols))


@register(OWN_CHECKS)
def own_instruments(**_: object) -> list[CheckMessage]:
    """Report an INSTRUMENTS_FILE that cannot be read or has an invalid field."""
    try:
        for each in instruments().own:
            _check_hours(each)
    except (InvalidInput, ValueError) as error:
        hint = "Correct the file, or leave INSTRUMENTS_FILE empty."
        return [Error(f"INSTRUMENTS_FILE: {error}.", hint=hint, id="argo.E012")]
    return []


def _check_hours(own: OwnInstrument) -> None:
    """Raise `ValueError` if the hours are no calendar."""
    if own.hours not in (None, ALWAYS, FOREX, METAL_HOURS, HOME):
        exchange_hours(own.hours)


@register(OWN_CHECKS, Tags.database)
def calibration_is_usable(
    databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Report a CALIBRATION that is not stored, of another strategy, or that did not win."""
    if not settings.CALIBRATION or not databases or "default" not in databases:
        return []
    from signals.generation.consensus import NAME  # on demand, because it loads numpy

    try:
        usable(settings.CALIBRATION, NAME)
    except Unusable as error:
        hint = "Name one that won, or set CALIBRATION=0 for the raw confidence."
        return [Error(f"{error}.", hint=hint, id="argo.E013")]
    except DatabaseError:
        return []  # its table is not there yet, or `journal_is_whole` reports it
    return []


@register(OWN_CHECKS, Tags.database)
def keys_of_before(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Name the keys that may trade only because they were made when `write` included it."""
    if not databases or "default" not in databases:
        return []
    try:
        names = keys.trading_since_before() if _knows_scopes() else []
    except DatabaseError:
        return []  # `journal_is_whole` reports it
    return [Warning(keys.sentence(names), hint=keys.ADVICE, id="argo.W010")] if names else []


def _knows_scopes() -> bool:
    """Return whether the table of keys has been migrated."""
    connection, table = connections["default"], ApiKey._meta.db_table
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        columns = connection.introspection.get_table_description(cursor, table)
    return "can_trade" in {column.name for column in columns}


@register(OWN_CHECKS, Tags.database)
def journal_is_whole(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Report if the journal is not the file that the database has read."""
    if not databases or "default" not in databases:
        return []
    try:
        with connections["default"].cursor() as cursor:
            tables = connections["default"].introspection.table_names(cursor)
        problems = journal_state(config.journal()).problems if "dead_letters" in tables else []
    except DatabaseError as error:
        return [Error(f"The database does not answer: {error}", id="argo.E004")]
    return [Warning(each.sentence, hint=each.kind.advice, id="argo.W001") for each in problems]
