"""Splits the difference between a signal's worlds into its causes, in percent of its price.

From the signal to the backtest the causes are those of the implementation shortfall (Perold, The
Implementation Shortfall: Paper versus Reality, 1988): the price moved before the fill, the costs.
From the backtest to the account they are what the account did otherwise. The parts of each step add
up to its difference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from execution.analysis.divergence.trades import (
    BY_BACKTEST,
    AccountFill,
    AccountTrade,
    ModelLeg,
    ModelTrade,
    SignalPrices,
)
from execution.types import DescribedCode, Side
from signals.analysis.backtest.columns import Ending

AT_ONCE = timedelta(minutes=5)
"""Fills within this time are at one moment: a live order takes some seconds."""
NEGLIGIBLE = 1e-6
"""Percent of the price: less is the rounding of an average price or of a fee."""


class Cause(DescribedCode):
    """Why two worlds differ."""

    GAP = "gap", "the market was elsewhere when the trade could be filled"
    SPREAD = "spread", "half of the difference between bid and ask, at each market order"
    SLIPPAGE = "slippage", "a market order was filled at a worse price than the best one"
    FEE = "fee", "fees of the fills"
    DELAY = "delay", "the account entered at another time than the backtest"
    PARTIAL_FILL = "partial_fill", "later parts of an order were filled at other prices"
    RULE = "rule", "something else than stop, target or expiry ended or moved the trade"
    DIVIDEND = "dividend", "a backtest leaves dividends out"
    DATA = "data", "the bars or the costs are not those that the account traded on"
    UNEXPLAINED = "unexplained", "the booked profit is not that of the fills"


class Step(StrEnum):
    """From which world to which."""

    BACKTEST = "backtest"  # from the signal's own prices to the backtest
    ACCOUNT = "account"  # from the backtest to the account


class Part(NamedTuple):
    """A part of the difference; `note` says more about the cause, empty if there is no more."""

    step: Step
    cause: Cause
    percent: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The result of each world in percent of the signal's price, and the parts between them.

    `signal` is entered at its own price and ended at its own stop or target, or at the market's
    price when its time is up, without costs; `backtest` and `account` are after costs.
    """

    signal: float
    backtest: float
    account: float
    parts: Sequence[Part]

    def percent(self, step: Step, cause: Cause) -> float:
        """Return what this cause adds in this step."""
        return sum(each.percent for each in self.parts if (each.step, each.cause) == (step, cause))


def divergence_of(signal: SignalPrices, model: ModelTrade, account: AccountTrade) -> Divergence:
    """Compare the three worlds of a signal whose trade has ended in all of them."""
    sign = 1 if signal.side is Side.BUY else -1
    unit = 100 / signal.price
    ideal = _ideal_exit(signal, model)
    own = sign * (ideal - signal.price) * unit
    modelled = (sign * (model.exit.price - model.entry.price) - model.fees) * unit
    booked = account.profit * unit
    parts = [
        *_to_backtest(signal, model, ideal, sign),
        *_to_account(model, account, sign),
    ]
    found = [each._replace(percent=each.percent * unit) for each in parts]
    explained = sum(each.percent for each in found if each.step is Step.ACCOUNT)
    rest = booked - modelled - explained
    found.append(Part(Step.ACCOUNT, Cause.UNEXPLAINED, rest))
    kept = [each for each in found if abs(each.percent) > NEGLIGIBLE]
    return Divergence(own, modelled, booked, kept)


def _ideal_exit(signal: SignalPrices, model: ModelTrade) -> float:
    levels = {Ending.STOP: signal.stop, Ending.TARGET: signal.target}
    return levels.get(model.ending, model.exit.mid)


def _to_backtest(
    signal: SignalPrices, model: ModelTrade, ideal: float, sign: int
) -> Iterator[Part]:
    entry, exit_ = model.entry, model.exit
    moved = (signal.price - entry.mid) + (exit_.mid - ideal)
    yield Part(Step.BACKTEST, Cause.GAP, sign * moved)
    paid = sign * ((entry.mid - entry.price) + (exit_.price - exit_.mid))
    yield Part(Step.BACKTEST, Cause.SPREAD, paid * model.spread_share)
    yield Part(Step.BACKTEST, Cause.SLIPPAGE, paid * (1 - model.spread_share))
    yield Part(Step.BACKTEST, Cause.FEE, -model.fees)


def _to_account(model: ModelTrade, account: AccountTrade, sign: int) -> Iterator[Part]:
    first_in, first_out = _first(account.entries), _first(account.exits)
    entry_price = account.entry if first_in is None else first_in.price
    exit_price = account.exit if first_out is None else first_out.price
    cause, note = _cause_of_entry(model.entry, account)
    yield Part(Step.ACCOUNT, cause, sign * (model.entry.price - entry_price), note)
    cause, note = _cause_of_exit(model, account)
    yield Part(Step.ACCOUNT, cause, sign * (exit_price - model.exit.price), note)
    later = (entry_price - account.entry) + (account.exit - exit_price)
    yield Part(Step.ACCOUNT, Cause.PARTIAL_FILL, sign * later)
    yield Part(Step.ACCOUNT, Cause.FEE, model.fees - account.fees)
    yield Part(Step.ACCOUNT, Cause.DIVIDEND, account.dividends)


def _first(fills: Sequence[AccountFill]) -> AccountFill | None:
    """Return the average of the fills of the first moment; None if all are of one moment.

    Fills at once at several prices are slippage; only later ones are another part of the order.
    """
    if not fills or fills[-1].at - fills[0].at <= AT_ONCE:
        return None
    at_once = [each for each in fills if each.at - fills[0].at <= AT_ONCE]
    quantity = sum(each.quantity for each in at_once)
    price = sum(each.price * each.quantity for each in at_once) / quantity
    return AccountFill(fills[0].at, price, quantity)


def _cause_of_entry(model: ModelLeg, account: AccountTrade) -> tuple[Cause, str]:
    if account.entries and abs(account.entries[0].at - model.at) > AT_ONCE:
        return Cause.DELAY, _apart(model.at, account.entries[0].at)
    return _at_one_time(account), "entry"


def _cause_of_exit(model: ModelTrade, account: AccountTrade) -> tuple[Cause, str]:
    """Return why the exits differ, if they do."""
    if account.is_by_rule:
        return Cause.RULE, account.exit_reason
    if account.is_carried:
        return Cause.RULE, "levels carried over a split or a dividend"
    if _cause_of_entry(model.entry, account)[0] is Cause.DELAY:
        return Cause.DELAY, f"exit: {account.exit_reason}"
    if BY_BACKTEST.get(model.ending) != account.exit_reason:
        order = ", both in one bar" if model.is_ambiguous else ""
        return Cause.DATA, f"{account.exit_reason}, not {model.ending.name.lower()}{order}"
    if account.exits and not model.exit.began <= account.exits[0].at <= model.exit.closed:
        return Cause.DATA, f"exit: {_apart(model.exit.at, account.exits[0].at)}"
    return _at_one_time(account), "exit"


def _at_one_time(account: AccountTrade) -> Cause:
    """Return why prices of one time differ: only a real market fills otherwise than its bars."""
    return Cause.DATA if account.is_simulated else Cause.SLIPPAGE


def _apart(model: datetime, account: datetime) -> str:
    hours = (account - model) / timedelta(hours=1)
    return f"{abs(hours):.1f} h {'later' if hours > 0 else 'earlier'}"
