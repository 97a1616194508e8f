"""The instruments of an installation: what Argo reads from a spelling, and the operator's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from signals.market.instruments.equities import share_currency
from signals.market.instruments.kinds import Kind
from signals.market.instruments.model import Instrument
from signals.market.instruments.own import OwnInstrument
from signals.market.instruments.reading import read
from signals.market.instruments.spelling import ALWAYS, FOREX, HOME, METAL_HOURS, NOT_KNOWN

MOST_KEPT = 20_000
"""How many spellings are kept in memory; senders may send any number."""
_HOURS = {
    Kind.STOCK: HOME, Kind.ETF: HOME, Kind.FOREX: FOREX, Kind.METAL: METAL_HOURS,
    Kind.CRYPTO_SPOT: ALWAYS, Kind.CRYPTO_PERPETUAL: ALWAYS,
}  # fmt: skip


@dataclass(frozen=True)
class Instruments:
    """Finds the instrument for any spelling.

    `exchange` is the calendar of the exchange whose shares need no suffix. `own` are the
    operator's instruments, `ticks` the ticks that were set by any spelling.
    """

    exchange: str = "XNYS"
    own: Sequence[OwnInstrument] = ()
    ticks: Mapping[str, Decimal] = field(default_factory=dict)
    _kept: dict[tuple[str, str], Instrument] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of(self, spelling: str, asset_type: str = "") -> Instrument:
        """Return the instrument for a spelling; `asset_type` is the sender's word for its kind.

        A spelling that cannot be read gives an instrument of the kind `unknown`, whose name is
        the spelling in capitals.
        """
        key = (spelling, asset_type)
        if (known := self._kept.get(key)) is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            known = self._kept[key] = self._made(spelling, asset_type)
        return known

    def name(self, spelling: str, asset_type: str = "") -> str:
        """Return the one name of the instrument for a spelling."""
        return self.of(spelling, asset_type).symbol

    def at(self, vendor: str, spelling: str, asset_type: str = "") -> Instrument:
        """Return the instrument for a vendor's own spelling, which the operator may have set."""
        own = (each.name for each in self.own if each.vendors.get(vendor) == spelling)
        return self.of(next(own, spelling), asset_type)

    def _made(self, spelling: str, asset_type: str) -> Instrument:
        own = self._own_of(spelling) or self._own_of(read(spelling, asset_type, self.exchange).name)
        found = self._read(own.name if own else spelling, asset_type)
        if own is not None:
            found = self._corrected(found, own)
        tick = self._tick_of(found.symbol)
        return found if tick is None else replace(found, tick=tick)

    def _read(self, spelling: str, asset_type: str) -> Instrument:
        name, kind, base, quote, hours, why = read(spelling, asset_type, self.exchange)
        return Instrument(name, kind, base, quote, hours, why=why)

    def _own_of(self, spelling: str) -> OwnInstrument | None:
        text = spelling.strip().upper()
        return next((each for each in self.own if text in (each.name, *each.spellings)), None)

    def _tick_of(self, name: str) -> Decimal | None:
        named = (tick for each, tick in self.ticks.items() if self._plain_name(each) == name)
        return next(named, None)

    def _plain_name(self, spelling: str) -> str:
        own = self._own_of(spelling)
        return own.name if own else read(spelling, "", self.exchange).name

    def _corrected(self, found: Instrument, own: OwnInstrument) -> Instrument:
        """Return the instrument with what the operator's file says of it."""
        kind = own.kind or found.kind
        usual = found.hours if kind is found.kind else _HOURS.get(kind, NOT_KNOWN)
        hours = own.hours or usual
        quote = share_currency(hours, self.exchange) if kind.is_equity else found.quote
        return replace(
            found,
            symbol=own.name,
            kind=kind,
            base=own.base or found.base,
            quote=own.quote or quote,
            hours=hours,
            tick=own.tick,
            step=own.step,
            multiplier=own.multiplier,
            vendors=dict(own.vendors),
            why=(*found.why, "the operator's file (INSTRUMENTS_FILE) names it"),
        )
