"""Reads pairs: two currencies, a metal and a currency, or a coin and what it is quoted in."""

import re
from typing import NamedTuple

from signals.market.instruments.codes import (
    COIN_NAMES,
    COIN_QUOTES,
    COINS,
    CURRENCIES,
    INDEX_NAMES,
    METAL_NAMES,
    METALS,
    STABLECOINS,
)
from signals.market.instruments.kinds import COMMODITY, Kind
from signals.market.instruments.spelling import (
    ALWAYS,
    FOREX,
    METAL_HOURS,
    Reading,
    Spelling,
    unknown,
)

SHORTEST_JOINED = 6
"""Letters of a pair without a separator: shorter ones are stocks."""
_SEPARATED = re.compile(r"([A-Z0-9]{1,15})[-/_]([A-Z]{3,6})")
_DOTTED = re.compile(r"([A-Z]{3})\.([A-Z]{3})")
_AT_A_BROKER = re.compile(r"([A-Z]{6})(?:[._-][A-Z0-9]{1,6}|[A-Z]|PRO|ECN|STP|RAW|MINI|MICRO)")
_CODE = re.compile(r"[A-Z0-9]{1,15}")
_MONEY = CURRENCIES | METALS.keys()
_NOT_SPOT = (Kind.FUTURE, Kind.CRYPTO_PERPETUAL, Kind.UNKNOWN)
CRYPTO_KINDS = (Kind.CRYPTO_SPOT, Kind.CRYPTO_PERPETUAL)


class Pair(NamedTuple):
    """A base and what it is quoted in."""

    base: str
    quote: str

    @property
    def name(self) -> str:
        """Return the pair's one name, such as `BTC-USD`."""
        return f"{self.base}-{self.quote}"

    @property
    def is_money(self) -> bool:
        """Return True for two currencies, or a metal and a currency."""
        return self.base in _MONEY and self.quote in CURRENCIES

    @property
    def has_coin(self) -> bool:
        """Return True if a code of it belongs to a coin for certain."""
        return self.base in COINS or self.quote in STABLECOINS


def split(text: str, *, is_coin: bool = False) -> Pair | None:
    """Return the pair that a text spells, None if it spells none; `is_coin`: it is a coin's."""
    if found := _SEPARATED.fullmatch(text):
        return _separated(_code(found[1]), _code(found[2]))
    if (found := _DOTTED.fullmatch(text)) and {found[1], found[2]} <= _MONEY:
        return Pair(found[1], found[2])
    return _joined(text, is_coin) or _of_broker(text)


def pair(wanted: Spelling) -> Reading | None:
    """Return the pair that a spelling means; None if it means none."""
    found = _yahoo(wanted.text) or split(wanted.text, is_coin=wanted.said in CRYPTO_KINDS)
    if found is None:
        return None
    if found.base in INDEX_NAMES and found.quote in CURRENCIES and found.base not in COINS:
        return None
    return _money(found, wanted) if found.is_money else _coins(found, wanted)


def coin(wanted: Spelling) -> Reading | None:
    """Return the coin that a sender names without a quote: it is quoted in dollars."""
    code = _code(wanted.text)
    if wanted.said not in CRYPTO_KINDS or code in _MONEY or not _CODE.fullmatch(code):
        return None
    return _crypto(Pair(code, "USD"), wanted, "a coin without a quote is in USD")


def metal(wanted: Spelling) -> Reading | None:
    """Return the metal that a sender names by its word or its code, without a quote."""
    if wanted.said not in (Kind.METAL, COMMODITY):
        return None
    base = METAL_NAMES.get(wanted.text, wanted.text)
    if base not in METALS:
        return None
    return _money(Pair(base, "USD"), wanted)


def perpetual_of(found: Pair, why: str) -> Reading:
    """Return the perpetual future of a pair."""
    name = f"{found.name}-PERP"
    return Reading(name, Kind.CRYPTO_PERPETUAL, found.base, found.quote, ALWAYS, (why,))


def _money(found: Pair, wanted: Spelling) -> Reading:
    if wanted.said in _NOT_SPOT:
        why = f"a {wanted.said} of {found.name} is not spelled like this"
        return unknown(found.name, why, *found)
    is_metal = found.base in METALS
    kind, hours = (Kind.METAL, METAL_HOURS) if is_metal else (Kind.FOREX, FOREX)
    what = "a metal" if is_metal else "a currency"
    why = f"{found.base} is {what} and {found.quote} a currency (ISO 4217)"
    return Reading(found.name, kind, *found, hours, (why,))


def _coins(found: Pair, wanted: Spelling) -> Reading | None:
    if wanted.said in (Kind.STOCK, Kind.ETF) and not found.has_coin:
        return None
    if wanted.said is Kind.UNKNOWN or (not found.has_coin and not _may_be_coin(wanted.said)):
        why = f"the sender's kind does not fit {found.name}, which looks like a coin"
        return unknown(found.name, why, *found)
    if found.base in COINS:
        why = f"{found.base} is a coin"
    elif found.quote in STABLECOINS:
        why = f"only coins are quoted in {found.quote}"
    else:
        why = f"{found.base} is no currency, and a pair with {found.quote} is quoted like a coin"
    return _crypto(found, wanted, why)


def _may_be_coin(said: Kind | str | None) -> bool:
    return said is None or said in (*CRYPTO_KINDS, Kind.FUTURE)


def _crypto(found: Pair, wanted: Spelling, why: str) -> Reading:
    if wanted.said in (Kind.CRYPTO_PERPETUAL, Kind.FUTURE):
        return perpetual_of(found, why)
    return Reading(found.name, Kind.CRYPTO_SPOT, *found, ALWAYS, (why,))


def _code(text: str) -> str:
    return COIN_NAMES.get(text, text)


def _separated(base: str, quote: str) -> Pair | None:
    is_known = base in COINS or base in _MONEY
    if quote in COIN_QUOTES or (is_known and (quote in CURRENCIES or quote in COINS)):
        return Pair(base, quote)
    return None


def _joined(text: str, is_coin: bool) -> Pair | None:
    """Return the pair of a text without a separator.

    A known base decides first: SHIBUSD is SHIB in USD, although it ends in BUSD.
    """
    if not _CODE.fullmatch(text) or (len(text) < SHORTEST_JOINED and not is_coin):
        return None
    halves = Pair(text[:3], text[3:])
    if halves.is_money and not is_coin:
        return halves
    ends = [Pair(_code(text[: -len(quote)]), _code(quote)) for quote in _quotes(text)]
    known = [each for each in ends if each.base in COINS]
    sure = [each for each in ends if each.quote in STABLECOINS]
    likely = ends if is_coin else []
    money = [each for each in ends if each.is_money]
    return next(iter([*known, *money, *sure, *likely]), None)


def _quotes(text: str) -> list[str]:
    names = (*COIN_QUOTES, *(name for name, code in COIN_NAMES.items() if code in CURRENCIES))
    return [quote for quote in names if text.endswith(quote) and len(text) > len(quote)]


def _of_broker(text: str) -> Pair | None:
    """Return the pair of a spelling that a broker has marked, such as `EURUSD.PRO`."""
    found = _AT_A_BROKER.fullmatch(text)
    made = found and Pair(found[1][:3], found[1][3:])
    return made if made and made.is_money else None


def _yahoo(text: str) -> Pair | None:
    """Return the pair of Yahoo's `EURUSD=X`, or of `JPY=X`, which is quoted against dollars."""
    if not text.endswith("=X"):
        return None
    code = text.removesuffix("=X")
    return Pair("USD", code) if code in CURRENCIES else split(code)
