"""What a person states of a corporate action, or of a price that is in doubt."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from argo.errors import FieldError, InvalidInput
from execution.corporate.memory import MOMENT, PriceMemory
from execution.models import CorporateAction, SeenPrices
from signals.market.actions import ActionKind
from signals.market.hours import TradingHours

ONE_DAY = timedelta(days=1)
PERSON = "person"


def state_split(
    memory: PriceMemory,
    symbol: str,
    ratio: tuple[Decimal, Decimal],
    began: datetime | None,
    *,
    by: str,
    why: str,
) -> CorporateAction:
    """State that `ratio` new shares were given for old ones.

    `began` is when its first session began (UTC); None: when the doubt about the price arose.
    Raises `InvalidInput` if there is no doubt and no time, or no reason.
    """
    new, old = ratio
    if not (new > 0 and old > 0 and new != old):
        raise InvalidInput([FieldError("--split", f"{new}:{old} is no split; write 4:1 or 1:10")])
    after, ex_at, price = _window(memory, symbol, began)
    return memory.store(
        symbol, ActionKind.SPLIT, after, ex_at, price=price, new=new, old=old, source=PERSON, by=by,
        why=_checked(why),
    )  # fmt: skip


def accept_price(memory: PriceMemory, symbol: str, *, by: str, why: str) -> CorporateAction:
    """State that the jump of a price that is in doubt was real.

    Raises `InvalidInput` if it is not in doubt, or without a reason.
    """
    after, ex_at, price = _window(memory, symbol, None)
    return memory.store(
        symbol, ActionKind.NONE, after, ex_at, price=price, source=PERSON, by=by, why=_checked(why)
    )


def state_rename(
    memory: PriceMemory, symbol: str, new_symbol: str, began: datetime, *, by: str, why: str
) -> CorporateAction:
    """State that a symbol has a new name since `began` (UTC). Raises `InvalidInput`."""
    if new_symbol == symbol:
        raise InvalidInput([FieldError("--rename", f"{new_symbol} is its name already")])
    return memory.store(
        symbol, ActionKind.RENAME, began - MOMENT, began, new_symbol=new_symbol, source=PERSON,
        by=by, why=_checked(why),
    )  # fmt: skip


def session_began(text: str, hours: TradingHours) -> datetime:
    """Return when the session of a day (YYYY-MM-DD) began. Raises `InvalidInput`."""
    try:
        closed_at = hours.close_of(date.fromisoformat(text))
    except ValueError:
        raise InvalidInput([FieldError("--date", f"{text!r} is not a date: YYYY-MM-DD")]) from None
    if closed_at is None:
        raise InvalidInput([FieldError("--date", f"the market was closed on {text}")])
    return hours.began(closed_at)


def _window(
    memory: PriceMemory, symbol: str, began: datetime | None
) -> tuple[datetime, datetime, float | None]:
    """Return until when the old scale is certain, since when the new one is, and an old price."""
    if began is not None:
        return began - MOMENT, began, None
    seen = SeenPrices.objects.filter(account=memory.account, symbol=symbol).first()
    if seen is None or not (seen.doubt or seen.unexplained):
        text = f"the prices of {symbol} are not in doubt; with --split, give --date as well"
        raise InvalidInput([FieldError("--symbol", text)])
    ex_at = seen.doubt_at or seen.looked_at
    if not seen.bars:
        return ex_at - ONE_DAY, ex_at, None
    time, close = seen.bars[-1]
    return datetime.fromisoformat(time), ex_at, close


def _checked(why: str) -> str:
    if not why.strip():
        raise InvalidInput([FieldError("why", "say how you know")])
    return why
