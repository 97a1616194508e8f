"""Walks the signals of a backtest in order of time, and decides on each as a live account does."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from execution.analysis.backtest.account import Closed, SimulatedAccount
from execution.analysis.backtest.plans import Offers, microseconds, moment
from execution.money import ZERO, exact_text
from execution.risk.model import Intent, Limits, Portfolio
from execution.risk.rules import denials
from execution.risk.sizing import Sizing, with_quantity
from execution.types import Denial, Reason


@dataclass(frozen=True, slots=True)
class AccountRules:
    """How the account trades: its first deposit, sizing, limits, and its days.

    `day_of` returns the account's day of a moment.
    """

    deposit: Decimal
    sizing: Sizing
    limits: Limits
    day_of: Callable[[datetime], date]

    def as_dict(self) -> dict[str, Any]:
        """Return deposit, sizing and limits as plain values; money and percents as exact text."""
        parts = {"sizing": asdict(self.sizing), "limits": asdict(self.limits)}
        return {"deposit": exact_text(self.deposit)} | {
            name: {key: _plain(value) for key, value in part.items()}
            for name, part in parts.items()
        }


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return exact_text(value)
    if isinstance(value, Set):
        return sorted(map(str, value))
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, eq=False)
class AccountResult:
    """What the account did: `executed` are the indices of the signals that were ordered.

    `denied` has every reason against each of the others. `trades` have ended, the oldest first;
    `open` is how many have not. `equity` is at the last bar, `peak` the highest one; both are
    in money.
    """

    executed: list[int] = field(default_factory=list)
    denied: dict[int, list[Denial]] = field(default_factory=dict)
    trades: list[Closed] = field(default_factory=list)
    open: int = 0
    deposit: Decimal = ZERO
    equity: Decimal = ZERO
    peak: Decimal = ZERO

    @property
    def reasons(self) -> dict[Reason, int]:
        """Return how often each reason was given, in alphabetical order."""
        counts = Counter(why.code for found in self.denied.values() for why in found)
        return dict(sorted(counts.items()))

    @property
    def profit(self) -> Decimal:
        """Return the profit of the trades that have ended, after fees."""
        return sum((each.profit for each in self.trades), ZERO)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain values; money as exact text."""
        profits = [each.profit for each in self.trades]
        return {
            "executed": len(self.executed),
            "denied": len(self.denied),
            "reasons": {str(code): count for code, count in self.reasons.items()},
            "closed": len(self.trades),
            "open": self.open,
            "wins": sum(each > ZERO for each in profits),
            "losses": sum(each < ZERO for each in profits),
            "profit": exact_text(self.profit),
            "fees": exact_text(sum((each.fees for each in self.trades), ZERO)),
            "deposit": exact_text(self.deposit),
            "equity": exact_text(self.equity),
            "highest_equity": exact_text(self.peak),
        }


def walk(offers: Offers, rules: AccountRules) -> AccountResult:
    """Decide on every signal in order of time, and trade those that the rules let pass.

    At each moment the bars that close are applied first, then the signals of that moment are
    decided in their order; each order counts for the next decision.
    """
    judge = Judge(
        offers,
        rules,
        SimulatedAccount(rules.deposit, offers.costs, rules.day_of, rules.limits.losses_in_a_row),
    )
    for since_1970, indices in _moments(offers):
        judge.account.see(since_1970)
        if indices:
            judge.decide(indices, since_1970)
    account = judge.account
    return AccountResult(
        judge.executed, judge.denied, account.closed, len(account.held), rules.deposit,
        account.equity, account.peak,
    )  # fmt: skip


@dataclass
class Judge:
    """Decides on the signals of one moment after the other."""

    offers: Offers
    rules: AccountRules
    account: SimulatedAccount
    executed: list[int] = field(default_factory=list)
    denied: dict[int, list[Denial]] = field(default_factory=dict)

    def decide(self, indices: Sequence[int], since_1970: int) -> None:
        """Decide on these signals; each order counts for the next decision."""
        now = moment(since_1970)
        held = self.account.portfolio(now)
        for index in indices:
            intent = self.offers.intent(index, now)
            intent, why = self._judged(index, intent, held, now)
            if why:
                self.denied[index] = why
            else:
                held = held.with_order(intent, now)
                self._order(index, intent, since_1970)

    def _judged(
        self, index: int, intent: Intent, held: Portfolio, now: datetime
    ) -> tuple[Intent, list[Denial]]:
        """Return the trade with its quantity, and every reason against it."""
        rules, step = self.rules, self.offers.step(index)
        if rules.sizing.is_scaled:
            intent = self.offers.with_volatility(index, intent)
        intent, why = with_quantity(rules.sizing, intent, held, rules.limits, step)
        return intent, why + denials(intent, held, rules.limits, now)

    def _order(self, index: int, intent: Intent, since_1970: int) -> None:
        plan, series = self.offers.plan(index, intent.side), self.offers.series(index)
        self.account.order(index, intent, plan, series, since_1970)
        self.executed.append(index)


def _moments(offers: Offers) -> Iterator[tuple[int, list[int]]]:
    """Yield every moment at which a bar closes or a signal comes, with its signals."""
    waiting = offers.in_order()
    columns = [microseconds(each.time) for each in offers.histories.values()]
    columns.append([since_1970 for since_1970, _ in waiting])
    moments = np.unique(np.concatenate([np.array(each, np.int64) for each in columns]))
    place = 0
    for since_1970 in moments.tolist():
        first = place
        while place < len(waiting) and waiting[place][0] == since_1970:
            place += 1
        yield since_1970, [index for _, index in waiting[first:place]]
