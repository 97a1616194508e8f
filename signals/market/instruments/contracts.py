"""Reads perpetuals, indexes and futures."""

import re

from signals.market.instruments.codes import (
    COINS,
    CURRENCIES,
    FUTURES,
    INDEX,
    INDEX_NAMES,
    INDEXES,
    MONTHS,
    UNMISTAKABLE_INDEXES,
)
from signals.market.instruments.kinds import COMMODITY, Kind
from signals.market.instruments.pairs import CRYPTO_KINDS, Pair, perpetual_of, split
from signals.market.instruments.spelling import NOT_KNOWN, Reading, Spelling

_PERPETUAL = re.compile(
    r"(?:PERP_|PF_|PI_)(?P<after>.+)"
    r"|(?P<before>.+?)(?:\.P|[-_.]?PERP(?:ETUAL)?|[-_]SWAP)"
    r"|(?P<settled>[A-Z0-9]+/(?P<quote>[A-Z]+)):[A-Z]{3,5}"
)
_CONTRACT = re.compile(rf"([A-Z0-9]{{1,5}}?)([{MONTHS}])(?:20)?\d?(\d)")
_ROOT = re.compile(r"[A-Z0-9]{1,6}")
_INDEX = re.compile(r"(\^|\.)?([A-Z0-9]+?)(?:\.(?:INDX|CASH|IND))?")
_QUOTED_INDEX = re.compile(r"([A-Z0-9]+?)[-/_]?([A-Z]{3})")


def perpetual(wanted: Spelling) -> Reading | None:
    """Return the perpetual future of a coin that a spelling marks; None if it marks none."""
    if wanted.said is Kind.UNKNOWN or not (found := _PERPETUAL.fullmatch(wanted.text)):
        return None
    text = found["after"] or found["before"] or found["settled"]
    is_coin = text in COINS and not wanted.text.endswith(".P")  # TradingView marks pairs by .P
    made = Pair(text, "USD") if is_coin else split(text)
    if made is None or made.is_money:
        return None
    return perpetual_of(made, "the spelling marks a perpetual future")


def index(wanted: Spelling) -> Reading | None:
    """Return the index that a spelling means; None if it means none."""
    found = _INDEX.fullmatch(wanted.text)
    if found is None:
        return _quoted_index(wanted)
    mark, text = found[1], found[2]
    if mark or wanted.said is Kind.INDEX or wanted.venue == INDEX:
        return _index(text, "it is marked as an index" if mark else "it is said to be an index")
    if text in UNMISTAKABLE_INDEXES and not (text in COINS and wanted.said in CRYPTO_KINDS):
        return _index(text, f"{text} is an index")
    return _quoted_index(wanted)


def _quoted_index(wanted: Spelling) -> Reading | None:
    """Return the index of a spelling with a currency, such as `SPX500_USD`."""
    found = _QUOTED_INDEX.fullmatch(wanted.text)
    if found is None or found[1] in COINS:
        return None
    if found[1] in UNMISTAKABLE_INDEXES and found[2] in CURRENCIES:
        return _index(found[1], f"{found[1]} is an index")
    return None


def _index(text: str, why: str) -> Reading:
    name = INDEX_NAMES.get(text, text)
    calendar = INDEXES[name][0] if name in INDEXES else NOT_KNOWN
    return Reading(f"^{name}", Kind.INDEX, hours=calendar, why=(why,))


def future(wanted: Spelling) -> Reading | None:
    """Return the future that a spelling means; None if it means none.

    A contract has its root, its month and the last digit of its year; `ES=F` is the next one.
    """
    text = wanted.text.removesuffix("=F").removeprefix("/")
    is_said = wanted.said is Kind.FUTURE or text != wanted.text
    text, continuous, _ = text.partition("1!")
    if not is_said and not continuous and wanted.said not in (None, COMMODITY):
        return None
    contract = _CONTRACT.fullmatch(text)
    if contract and (is_said or contract[1] in FUTURES):
        return _contract(*contract.groups())
    if continuous or (is_said and split(text) is None):
        return _continuous(text) if _ROOT.fullmatch(text) else None
    return _continuous(text) if wanted.said == COMMODITY and text in FUTURES else None


def _contract(root: str, month: str, year: str) -> Reading:
    known = root in FUTURES
    name = f"{root}{month}{year}" if known else f"{root}{month}{year}=F"
    return _future(name, root)


def _continuous(root: str) -> Reading:
    return _future(f"{root}=F", root)


def _future(name: str, root: str) -> Reading:
    """Return the reading; every future that Argo knows is quoted in US dollars or their cents."""
    known = FUTURES.get(root)
    quote, hours = ("USD", known.calendar) if known else ("", NOT_KNOWN)
    return Reading(name, Kind.FUTURE, root, quote, hours, (_why(root),))


def _why(root: str) -> str:
    if root in FUTURES:
        return f"{root} is the root of a future"
    return f"it is spelled or said to be a future; Argo does not know the root {root}"
