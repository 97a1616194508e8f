"""The kinds of instruments, and the words with which senders name them."""

from enum import StrEnum


class Kind(StrEnum):
    """The kind of an instrument, which decides its hours and its steps."""

    STOCK = "stock"
    ETF = "etf"
    FOREX = "forex"
    METAL = "metal"
    CRYPTO_SPOT = "crypto_spot"
    CRYPTO_PERPETUAL = "crypto_perpetual"
    FUTURE = "future"
    INDEX = "index"
    UNKNOWN = "unknown"

    @property
    def is_crypto(self) -> bool:
        """Return True for coins and their perpetuals: their market never closes."""
        return self in (Kind.CRYPTO_SPOT, Kind.CRYPTO_PERPETUAL)

    @property
    def is_equity(self) -> bool:
        """Return True for stocks and ETFs: they trade in an exchange's sessions."""
        return self in (Kind.STOCK, Kind.ETF)


COMMODITY = "commodity"
"""A sender's word that may mean a metal or a future."""
SILENT = frozenset({"", "unknown", "none", "other", "cfd", "default"})
"""Words that say nothing about the kind."""
_WORDS = {
    Kind.STOCK: "stock stocks equity equities share shares us_equity us_stock us_stocks stk cs adr "
    "common_stock",
    Kind.ETF: "etf etfs fund funds etn etp",
    Kind.FOREX: "forex fx currency currencies currency_pair fx_spot cash",
    Kind.METAL: "metal metals precious_metal precious_metals",
    Kind.CRYPTO_SPOT: "crypto cryptocurrency cryptocurrencies crypto_spot spot coin coins token "
    "tokens digital_asset digital_currency",
    Kind.CRYPTO_PERPETUAL: "perpetual perpetuals perp perps swap perpetual_swap crypto_perpetual "
    "crypto_perp crypto_swap crypto_future crypto_futures linear inverse",
    Kind.FUTURE: "future futures fut",
    Kind.INDEX: "index indices indexes ind index_cfd",
    Kind.UNKNOWN: "option options opt bond bonds warrant warrants mutual_fund event",
}
"""`UNKNOWN` has the words for what Argo does not trade."""
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}


def said_kind(asset_type: str) -> Kind | str | None:
    """Return the kind that a sender's asset type names: a `Kind`, `COMMODITY`, or None.

    None means that the word says nothing, or that Argo does not know it.
    """
    word = _word(asset_type)
    return COMMODITY if word in (COMMODITY, "commodities") else _KINDS.get(word)


def is_known_word(asset_type: str) -> bool:
    """Return True if Argo knows what the asset type means, or that it means nothing."""
    return _word(asset_type) in SILENT or said_kind(asset_type) is not None


def _word(asset_type: str) -> str:
    return "_".join(asset_type.lower().replace("-", " ").replace("_", " ").split())
