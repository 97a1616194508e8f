"""Instruments: one spelling for each, its kind (stock or crypto), and its tick size."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

STOCK, CRYPTO = "stock", "crypto"
QUOTED_IN = "USDT|USDC|USD|EUR|GBP|BTC|ETH"
BASES = (
    "AAVE|ADA|AVAX|BAT|BCH|BTC|CRV|DOGE|DOT|ETH|GRT|LINK|LTC|MKR|PEPE|SHIB|SOL|SUSHI|TRX|UNI|XRP"
    "|XTZ|YFI"
)
"""Without a separator only these are read as crypto: a stock's symbol may end in USD too."""
PAIR = re.compile(rf"([A-Z0-9]{{2,10}})[-/]({QUOTED_IN})|({BASES})({QUOTED_IN})")

CENT, SUB_PENNY = Decimal("0.01"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Instrument:
    """A tradable instrument: `symbol` is in Argo's spelling, such as `AAPL` or `BTC-USD`.

    `asset_type` is stock or crypto. `tick` is the smallest step of its price, if it was set.
    """

    symbol: str
    asset_type: str
    tick: Decimal | None = None

    def tick_at(self, price: float) -> Decimal | None:
        """Return the smallest step of a price near `price`; None if it is not known.

        US stocks move by a cent, and below one dollar by a hundredth of a cent (Rule 612 of
        Regulation NMS).
        """
        if self.tick is not None or self.asset_type != STOCK:
            return self.tick
        return CENT if price >= 1 else SUB_PENNY

    def rounded(self, price: float) -> float:
        """Return `price` at the nearest tick; unchanged if the tick is not known."""
        tick = self.tick_at(price)
        if tick is None:
            return price
        return float((Decimal(repr(float(price))) / tick).to_integral_value() * tick)


def normalised(symbol: str) -> str:
    """Return a symbol in Argo's spelling: BTC/USD, BTC-USD and BTCUSD are all BTC-USD."""
    wanted = symbol.strip().upper()
    pair = PAIR.fullmatch(wanted)
    return "-".join(filter(None, pair.groups())) if pair else wanted


def instrument(symbol: str, ticks: Mapping[str, Decimal] | None = None) -> Instrument:
    """Return the instrument for `symbol` in any spelling; `ticks` has the ticks set by hand."""
    name = normalised(symbol)
    kind = CRYPTO if PAIR.fullmatch(name) else STOCK
    return Instrument(name, kind, (ticks or {}).get(name))
