"""The options of `manage.py account` that state a corporate action or accept a price."""

from decimal import Decimal, InvalidOperation
from typing import Any

from argo.errors import FieldError, InvalidInput
from execution.context import TradingContext
from execution.corporate.statements import accept_price, session_began, state_rename, state_split
from execution.models import CorporateAction


def corporate_action(context: TradingContext, options: dict[str, Any]) -> CorporateAction:
    """Store what the options state, and return its row. Raises `InvalidInput`."""
    if not options["symbol"]:
        raise InvalidInput([FieldError("--symbol", "say which symbol it is about")])
    symbol, memory = context.instrument(options["symbol"]).symbol, context.history.memory
    said = {"by": options["by"], "why": options["why"]}
    if options["real_price"]:
        return accept_price(memory, symbol, **said)
    began = session_began(options["date"], context.hours(symbol)) if options["date"] else None
    if options["split"]:
        return state_split(memory, symbol, _ratio(options["split"]), began, **said)
    new_symbol = context.instrument(options["rename"]).symbol
    return state_rename(memory, symbol, new_symbol, began or context.clock(), **said)


def _ratio(text: str) -> tuple[Decimal, Decimal]:
    new, _, old = text.partition(":")
    try:
        found = Decimal(new), Decimal(old)
    except InvalidOperation:
        found = Decimal("NaN"), Decimal("NaN")
    if not all(each.is_finite() for each in found):
        raise InvalidInput([FieldError("--split", f"{text!r} is not NEW:OLD, such as 4:1")])
    return found
