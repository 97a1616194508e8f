"""The endpoint under /api/instruments: what Argo makes of a symbol."""

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from signals.api.auth import reader
from signals.api.bodies import refuse_unknown
from signals.api.schemas import InstrumentOut, Refused
from signals.clock import utc_now
from signals.instruments import instrument
from signals.ledger.spellings import seen_spellings
from signals.ledger.validation import Label, check_symbol
from signals.market.hours import hours_of
from signals.market.instruments import NOT_KNOWN, Instrument, spellings

router = Router(tags=["signals"])


class InstrumentQuery(BaseModel):
    """What else is known of the symbol."""

    model_config = ConfigDict(extra="forbid")

    asset_type: Label | None = Field(None, description="The sender's word for its kind")
    price: float = Field(100.0, gt=0, description="A price: the tick may depend on it")


@router.get(
    "/{path:symbol}",
    auth=reader,
    response={200: InstrumentOut, 422: Refused},
    summary="What Argo makes of a symbol, and why",
)
def get_instrument(
    request: HttpRequest, symbol: str, query: Query[InstrumentQuery]
) -> dict[str, object]:
    """Return the instrument for a symbol in any spelling; it may contain slashes."""
    refuse_unknown(request, InstrumentQuery)
    found = instrument(check_symbol(symbol), query.asset_type or "")
    tick = found.tick_at(query.price)
    return {
        "symbol": symbol,
        "name": found.symbol,
        "kind": found.kind,
        "base": found.base,
        "quote": found.quote,
        "hours": found.hours,
        "is_open": _is_open(found),
        "tick": None if tick is None else f"{tick:f}",
        "step": None if found.step is None else f"{found.step:f}",
        "unit_value": None if found.unit_value is None else f"{found.unit_value:f}",
        "spelled_at": spellings(found),
        "seen": [each._asdict() for each in seen_spellings(found.symbol)],
        "why": list(found.why),
    }


def _is_open(wanted: Instrument) -> bool | None:
    if wanted.hours == NOT_KNOWN:
        return None
    return hours_of(wanted, settings.MARKET_EXCHANGE).is_open(utc_now())
