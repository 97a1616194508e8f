"""An instrument: its one name, its kind, and the steps of its prices and quantities."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from signals.market.instruments.codes import FUTURES
from signals.market.instruments.kinds import Kind
from signals.market.instruments.spelling import NOT_KNOWN

CENT, SUB_PENNY = Decimal("0.01"), Decimal("0.0001")
PIP, YEN_PIP = Decimal("0.00001"), Decimal("0.001")
"""A tenth of a pip, as brokers quote: five decimals, and three if quoted in yen."""
WHOLE = Decimal(1)
METAL_STEP = Decimal("0.01")
"""Ounces."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A tradable instrument.

    `symbol` is its one name in Argo, such as `AAPL`, `BRK.B`, `EUR-USD` or `BTC-USD-PERP`.
    `base` is what a pair trades, `quote` the currency of the price; both are empty if they are not
    known. `hours` is `always`, `forex`, `metals`, `exchange` (the home exchange), `unknown`, or a
    calendar's name. `tick` and `step` are the smallest steps of price and quantity, and
    `multiplier` is what one unit is worth at a price of 1, if the operator has set them. `vendors`
    has the operator's own spellings by vendor or broker. `why` says how Argo came to all this.
    """

    symbol: str
    kind: Kind
    base: str = ""
    quote: str = ""
    hours: str = NOT_KNOWN
    tick: Decimal | None = None
    step: Decimal | None = None
    multiplier: Decimal | None = None
    vendors: Mapping[str, str] = field(default_factory=dict, hash=False)
    why: tuple[str, ...] = field(default=(), compare=False)

    @property
    def asset_type(self) -> str:
        """Return the word for the kind that signals carry."""
        return "crypto" if self.kind is Kind.CRYPTO_SPOT else str(self.kind)

    @property
    def unit_value(self) -> Decimal | None:
        """Return what one unit is worth at a price of 1, in `quote`; None if it is not known.

        One contract of a future, or of an index, is worth a multiple that differs from one
        contract and broker to the next.
        """
        if self.multiplier is not None:
            return self.multiplier
        return None if self.kind in (Kind.FUTURE, Kind.INDEX, Kind.UNKNOWN) else WHOLE

    def tick_at(self, price: float) -> Decimal | None:
        """Return the smallest step of a price near `price`; None if it is not known.

        US stocks move by a cent, and below one dollar by a hundredth of a cent (Rule 612 of
        Regulation NMS).
        """
        if self.tick is not None:
            return self.tick
        if self.kind.is_equity:
            return CENT if price >= 1 else SUB_PENNY
        if self.kind is Kind.FOREX:
            return YEN_PIP if self.quote == "JPY" else PIP
        if self.kind is Kind.METAL:
            return YEN_PIP
        return FUTURES[self.base].tick if self.base in FUTURES and self._is_future else None

    @property
    def _is_future(self) -> bool:
        return self.kind is Kind.FUTURE

    def rounded(self, price: float) -> float:
        """Return `price` at the nearest tick; unchanged if the tick is not known.

        A price below one tick is left unchanged, so that nothing is rounded to 0.
        """
        tick = self.tick_at(price)
        if tick is None or price < tick:
            return price
        return float((Decimal(repr(float(price))) / tick).to_integral_value() * tick)

    def step_or(self, coins: Decimal) -> Decimal:
        """Return the smallest step of a quantity; `coins` is that of crypto at the broker."""
        if self.step is not None:
            return self.step
        if self.kind.is_crypto:
            return coins
        return METAL_STEP if self.kind is Kind.METAL else WHOLE
