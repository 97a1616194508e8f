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
    Exchange Act). `taf` is for each share, at most `taf_most` for one trade (FINRA's Trading
    Activity Fee). The regulators change the rates about once a year. The settings' defaults are:

    - 20.60 dollars for each million from 4 April 2026 on (SEC, Fee Rate Advisory for fiscal year
      2026); before that it was 0, from 14 May 2025 on.
    - 0.000195 dollars for each share, at most 9.79, from 1 January 2026 on; 0.000232, at most
      11.61, from 1 January 2027 on (FINRA, SR-FINRA-2024-019).
    """

    sec: Decimal = ZERO
    taf: Decimal = ZERO
    taf_most: Decimal = Decimal("9.79")

    def of(self, side: Side, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the fee of one fill.

        It is not rounded up to a cent: Alpaca does so only with the sum of a day.
        """
        if side is Side.BUY:
            return ZERO
        activity = min(quantity * self.taf, self.taf_most)
        return rounded(quantity * price * self.sec / MILLION + activity)
