"""Reads a spelling: the name, kind, base and quote that it means, and why.

The sender's word for the kind counts before any guess. A pair of two known codes is the exception:
`BTCUSDT` and `EUR/USD` cannot be stocks, whatever a sender says.
"""

import re
from collections.abc import Callable

from signals.market.instruments.codes import ANY, CRYPTO, FUTURE, INDEX, VENUES
from signals.market.instruments.contracts import future, index, perpetual
from signals.market.instruments.equities import equity
from signals.market.instruments.kinds import SILENT, Kind, is_known_word, said_kind
from signals.market.instruments.pairs import coin, metal, pair, split
from signals.market.instruments.spelling import Reading, Spelling

_PREFIX = re.compile(r"([A-Z0-9_]{1,15}):(.+)")
_SUFFIX = re.compile(r"(.+)[:.]([A-Z0-9_]{2,15})")
_OF_VENUE = {CRYPTO: Kind.CRYPTO_SPOT, FUTURE: Kind.FUTURE, INDEX: Kind.INDEX}
_READERS: tuple[Callable[[Spelling], Reading | None], ...] = (
    perpetual, index, metal, future, pair, coin,
)  # fmt: skip


def read(spelling: str, asset_type: str = "", exchange: str = "XNYS") -> Reading:
    """Return what a spelling means.

    `asset_type` is the sender's word for the kind, `exchange` the calendar of the exchange whose
    shares need no suffix. What cannot be read is of the kind `unknown`, with its spelling as name.
    """
    found = _read(_spelling(spelling, asset_type, exchange))
    notes = _notes(asset_type)
    return found._replace(why=(*notes, *found.why))


def _read(wanted: Spelling) -> Reading:
    for reader in _READERS:
        if (found := reader(wanted)) is not None:
            return found
    return equity(wanted)


def _spelling(spelling: str, asset_type: str, exchange: str) -> Spelling:
    text = " ".join(spelling.upper().split())
    text = text.lstrip("$#") or text
    rest, venue = _without_venue(text)
    said = said_kind(asset_type)
    if said is None:
        said = _OF_VENUE.get(venue or "")
    return Spelling(rest, said, venue, exchange)


def _without_venue(text: str) -> tuple[str, str | None]:
    """Return the text without the name of its exchange, and what that name says.

    An exchange may be named more than once. A text that names two exchanges stays as it is, so that
    nobody takes it for one of them.
    """
    rest, venue = _without_one_venue(text)
    while (inner := _without_one_venue(rest))[1] is not None:
        if inner[1] != venue:
            return text, None
        rest = inner[0]
    return rest, venue


def _without_one_venue(text: str) -> tuple[str, str | None]:
    prefix = _PREFIX.fullmatch(text)
    if prefix and prefix[1] in VENUES:
        return prefix[2], VENUES[prefix[1]]
    if prefix and split(prefix[2]):  # a pair is the same wherever it is traded
        return prefix[2], ANY
    suffix = _SUFFIX.fullmatch(text)
    if suffix and suffix[2] in VENUES and (":" in text or not VENUES[suffix[2]].isupper()):
        return suffix[1], VENUES[suffix[2]]
    return text, None


def _notes(asset_type: str) -> tuple[str, ...]:
    if not is_known_word(asset_type):
        return (f"the asset type {asset_type!r} is not one that Argo knows",)
    if asset_type.lower() in SILENT:
        return ()
    return (f"the sender says {asset_type!r}",)
