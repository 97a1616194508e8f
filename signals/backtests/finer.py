"""Reads the finer bars of a backtest, and names the symbols that have none."""

from dataclasses import dataclass, field
from pathlib import Path

from signals.analysis.backtest.finer import FinerBars
from signals.instruments import instrument
from signals.market.bars import BadBars
from signals.market.intraday import IntradayFolder
from signals.market.protocol import UnknownSymbol


@dataclass(frozen=True)
class FinerFolder:
    """A folder of finer bars. `missing` are the symbols without them that were read, and why."""

    source: IntradayFolder
    missing: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "FinerFolder":
        """Return the bars of a folder. Raises `FeedError` if it is not one."""
        return cls(IntradayFolder(folder, instrument))

    def read(self, symbol: str) -> FinerBars | None:
        """Return the finer bars of a symbol; None if it has none that can be used."""
        try:
            return FinerBars.of(symbol, *self.source.bars(symbol))
        except (UnknownSymbol, BadBars) as error:
            self.missing[symbol] = str(error)
            return None
