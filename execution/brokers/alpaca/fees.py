"""The regulators' fees on sales of United States stocks, which Alpaca passes on."""

from dataclasses import dataclass
from decimal import Decimal

from execution.brokers.fill_model import rounded
from execution.money import ZERO
from execution.types import Side

MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class SaleFees:
    """The rates of both fees, in dollars; the buyer pays neither.

    `sec` is for each million dollars of proceeds (the SEC's fee, Section 31 of the Securities
    Exchange Act). `taf` is for each share, at most `most` for one trade (FINRA's Trading Activity
    Fee). The regulators change the rates about once a year.
    """

    sec: Decimal = ZERO
    taf: Decimal = ZERO
    most: Decimal = Decimal("9.79")

    def of(self, side: Side, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the fee of one fill.

        It is not rounded up to a cent: Alpaca does so only with the sum of a day.
        """
        if side is Side.BUY:
            return ZERO
        activity = min(quantity * self.taf, self.most)
        return rounded(quantity * price * self.sec / MILLION + activity)
