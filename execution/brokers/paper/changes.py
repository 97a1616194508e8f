"""What a corporate action does to a bracket on paper, as a broker would do it.

A split changes the quantity and the exits; an entry that waits is canceled. A dividend is paid, and
lowers the exit below the price by its amount, as exchanges adjust open orders (FINRA rule 5330). A
rename changes the symbol.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from execution.brokers.fill_model import Prices, rounded
from execution.brokers.paper.bracket import PaperBracket, cancel, is_final
from execution.brokers.paper.ledger import PaperLedger
from execution.models import CorporateAction, PaperChange, PaperOrder
from execution.money import ZERO, exact_text
from execution.types import Leg, OrderState, Side
from signals.market.actions import ActionKind
from signals.rows import insert


class Carrier:
    """Carries one bracket over the actions on its symbol, each once, in the order of time."""

    def __init__(
        self, ledger: PaperLedger, bracket: PaperBracket, actions: Sequence[CorporateAction]
    ) -> None:
        self._ledger = ledger
        self._bracket = bracket
        entry = bracket.entry
        price = bracket.average or entry.reference
        done = PaperChange.objects.filter(order=entry.pk).values_list("action", flat=True)
        self._done = set(done) if actions else set()
        self._actions = [
            each
            for each in actions
            if each.pk in self._done or each.comes_after(entry.placed_at, price)
        ]

    def carried(self, prices: Prices, now: datetime) -> Prices:
        """Carry the bracket over what happened before these prices, and return the prices on its
        scale: a bar may come after a newer price."""
        for each in self._actions:
            is_later = each.comes_after(prices.time, prices.open)
            if each.pk not in self._done and not is_later:
                _carry(self._ledger, self._bracket, each, now)
                self._done.add(each.pk)
            elif each.pk in self._done and is_later and each.kind == ActionKind.SPLIT:
                # its fill is reported in shares of today, so it must not come before the split
                late = prices.times(each.old / each.new)
                prices = late._replace(began=each.after, time=each.ex_at)
        return prices


def _carry(
    ledger: PaperLedger, bracket: PaperBracket, action: CorporateAction, now: datetime
) -> None:
    cash, text = ZERO, ""
    if action.kind == ActionKind.SPLIT:
        text = _split(ledger, bracket, action, now)
    elif action.kind == ActionKind.DIVIDEND:
        cash = bracket.signed * action.cash
        text = _pay(ledger, bracket, action, cash, now)
    elif action.kind == ActionKind.RENAME:
        text = f"the symbol {action.symbol} is now {action.new_symbol}"
        for order in bracket.orders:
            order.symbol = action.new_symbol
    insert(PaperChange(order=bracket.entry, action=action, cash=cash, text=text, time=now))


def _split(
    ledger: PaperLedger, bracket: PaperBracket, action: CorporateAction, now: datetime
) -> str:
    before = bracket.held
    bracket.split(action.new, action.old)
    if (close := bracket.close) is not None:
        cancel(close)
    if not bracket.held:
        bracket.cancel_exits()
        return "nothing was held; its entry is canceled"
    for leg in (Leg.STOP, Leg.TARGET):
        level = bracket.legs[leg].level
        if level is not None:
            _replace(ledger, bracket, leg, rounded(level * action.old / action.new), now)
    return f"{exact_text(before)} shares became {exact_text(bracket.held)}"


def _pay(
    ledger: PaperLedger, bracket: PaperBracket, action: CorporateAction, cash: Decimal,
    now: datetime,
) -> str:  # fmt: skip
    if not cash:
        return "nothing was held"
    ledger.move(cash)
    lower = Leg.STOP if bracket.side is Side.BUY else Leg.TARGET
    level = bracket.legs[lower].level
    if level is not None and level > action.cash:
        _replace(ledger, bracket, lower, level - action.cash, now)
    return f"a dividend of {exact_text(cash)} was {'paid' if cash > ZERO else 'charged'}"


def _replace(
    ledger: PaperLedger, bracket: PaperBracket, leg: Leg, level: Decimal, now: datetime
) -> None:
    """Put another exit in the place of one that may still fill, for all that is held."""
    before = bracket.legs[leg]
    if is_final(before):
        return
    cancel(before)
    number = 2 + sum(order.leg == leg for order in bracket.former)
    after = PaperOrder(
        account=ledger.account, parent=bracket.entry, leg=leg, level=level, symbol=before.symbol,
        client_order_id=f"{bracket.entry.client_order_id}/{leg}-{number}", side=before.side,
        quantity=bracket.held or bracket.entry.quantity, reference=before.reference,
        state=OrderState.ACCEPTED, placed_at=now, seen_at=now, bars_seen_at=now, is_open=False,
        is_triggered=before.is_triggered,
    )  # fmt: skip
    insert(after)
    bracket.add(after)
