"""How vendors and brokers spell an instrument."""

from collections.abc import Callable

from signals.market.instruments.kinds import Kind
from signals.market.instruments.model import Instrument

ALPACA, BINANCE, CCXT, IBKR, OANDA, POLYGON, YAHOO = VENDORS = (
    "alpaca", "binance", "ccxt", "ibkr", "oanda", "polygon", "yahoo",
)  # fmt: skip
_YAHOO_INDEXES = {"SPX": "GSPC", "DAX": "GDAXI", "CAC": "FCHI"}


def spelled_at(wanted: Instrument, vendor: str) -> str | None:
    """Return the instrument's spelling at a vendor; None if the vendor does not have its kind."""
    return wanted.vendors.get(vendor) or _SPELLERS[vendor](wanted)


def spellings(wanted: Instrument) -> dict[str, str]:
    """Return every known spelling by vendor, the operator's own included."""
    made = {vendor: spelled_at(wanted, vendor) for vendor in VENDORS}
    known = {vendor: spelling for vendor, spelling in made.items() if spelling}
    return known | dict(wanted.vendors)


def _alpaca(wanted: Instrument) -> str | None:
    if wanted.kind.is_equity and _is_american(wanted):
        return wanted.symbol
    return f"{wanted.base}/{wanted.quote}" if wanted.kind is Kind.CRYPTO_SPOT else None


def _binance(wanted: Instrument) -> str | None:
    if wanted.kind is Kind.CRYPTO_PERPETUAL and wanted.quote == "USD":
        return f"{wanted.base}USD_PERP"
    return f"{wanted.base}{wanted.quote}" if wanted.kind.is_crypto else None


def _ccxt(wanted: Instrument) -> str | None:
    if not wanted.kind.is_crypto:
        return None
    settled = wanted.base if wanted.quote == "USD" else wanted.quote
    mark = f":{settled}" if wanted.kind is Kind.CRYPTO_PERPETUAL else ""
    return f"{wanted.base}/{wanted.quote}{mark}"


def _ibkr(wanted: Instrument) -> str | None:
    if wanted.kind.is_equity and _is_american(wanted):
        return wanted.symbol.replace(".PR", " PR").replace(".", " ")
    return f"{wanted.base}.{wanted.quote}" if wanted.kind is Kind.FOREX else None


def _oanda(wanted: Instrument) -> str | None:
    if wanted.kind in (Kind.FOREX, Kind.METAL):
        return f"{wanted.base}_{wanted.quote}"
    return None


def _polygon(wanted: Instrument) -> str | None:
    pair = f"{wanted.base}{wanted.quote}"
    found = {
        Kind.FOREX: f"C:{pair}",
        Kind.METAL: f"C:{pair}",
        Kind.CRYPTO_SPOT: f"X:{pair}",
        Kind.INDEX: f"I:{wanted.symbol[1:]}",
    }.get(wanted.kind)
    is_share = wanted.kind.is_equity and _is_american(wanted)
    return wanted.symbol if is_share else found


def _yahoo(wanted: Instrument) -> str | None:
    if wanted.kind.is_equity:
        return _yahoo_share(wanted)
    if wanted.kind is Kind.INDEX:
        name = wanted.symbol[1:]
        return f"^{_YAHOO_INDEXES.get(name, name)}"
    if wanted.kind is Kind.FOREX:
        return f"{wanted.base}{wanted.quote}=X"
    if wanted.kind is Kind.FUTURE:
        return wanted.symbol if wanted.symbol.endswith("=F") else None
    return wanted.symbol if wanted.kind is Kind.CRYPTO_SPOT else None


def _yahoo_share(wanted: Instrument) -> str:
    if not _is_american(wanted):
        return wanted.symbol
    return wanted.symbol.replace(".PR", "-P").replace(".WS", "-WT").replace(".", "-")


def _is_american(wanted: Instrument) -> bool:
    return wanted.hours in ("exchange", "XNYS")


_SPELLERS: dict[str, Callable[[Instrument], str | None]] = {
    ALPACA: _alpaca, BINANCE: _binance, CCXT: _ccxt, IBKR: _ibkr, OANDA: _oanda,
    POLYGON: _polygon, YAHOO: _yahoo,
}  # fmt: skip
