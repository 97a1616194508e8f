"""A signal in its three worlds: at its own prices, in a backtest, and on an account.

All prices are on the scale of the signal's own, before any split since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from execution.types import ExitReason, Side
from signals.analysis.backtest.columns import Ending


@dataclass(frozen=True, slots=True)
class SignalPrices:
    """The side and the prices that the signal named."""

    side: Side
    price: float
    stop: float
    target: float


@dataclass(frozen=True, slots=True)
class ModelLeg:
    """The entry or the exit of a backtest: `at` is when it was filled, in the bar that began at
    `began` and closed at `closed`. `mid` is the price without costs, `price` with them."""

    began: datetime
    closed: datetime
    at: datetime
    mid: float
    price: float


@dataclass(frozen=True, slots=True)
class ModelTrade:
    """The trade that a backtest makes of the signal, by the bars and the costs of today's settings.

    `fees` are for one share. `spread_share` is the part of a market order's costs that is spread,
    0 to 1; the rest is slippage. `is_ambiguous`: the order of prices within a bar decided.
    """

    entry: ModelLeg
    exit: ModelLeg
    ending: Ending
    fees: float
    spread_share: float
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class AccountFill:
    """One fill of an order on the account."""

    at: datetime
    price: float
    quantity: float


@dataclass(frozen=True, slots=True)
class AccountTrade:
    """The trade on an account, closed: `entry` and `exit` are average prices.

    `fees`, `dividends` and `profit` are for one share, in the account's currency. `is_simulated`:
    the broker fills by the same rules as the backtest. `is_carried`: the position was carried over
    a split or a dividend, which moves its stop.
    """

    entry: float
    exit: float
    entries: Sequence[AccountFill]
    exits: Sequence[AccountFill]
    exit_reason: str
    fees: float
    dividends: float
    profit: float
    is_simulated: bool
    is_carried: bool = False

    @property
    def is_by_rule(self) -> bool:
        """Return whether something else than stop, target or expiry ended it."""
        return self.exit_reason not in BY_BACKTEST.values()


BY_BACKTEST = {
    Ending.STOP: ExitReason.STOP.value,
    Ending.TARGET: ExitReason.TARGET.value,
    Ending.EXPIRED: ExitReason.EXPIRED.value,
}
"""How an account names the endings of a backtest."""
