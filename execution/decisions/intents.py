"""Makes the trade that a signal wants: at the latest price, and with its quantity."""

import logging
from dataclasses import replace

from argo.errors import ArgoError
from execution.context import TradingContext
from execution.money import ZERO, as_decimal
from execution.risk.model import Intent, Portfolio
from execution.risk.sizing import with_quantity
from execution.risk.volatility import volatility
from execution.types import Denial, Side
from signals.market.hours import ALWAYS_OPEN, TradingHours
from signals.market.instruments import NOT_KNOWN, Instrument
from signals.market.protocol import FeedError, Quote, UnknownSymbol
from signals.models import Signal, SignalContext
from signals.rows import select_one
from signals.timestamps import parse_utc

logger = logging.getLogger(__name__)

_CONTEXT = "SELECT * FROM signal_contexts WHERE id = %s"


def intent_of(context: TradingContext, signal: Signal) -> Intent:
    """Return the trade that the signal wants at the latest price, without a quantity yet.

    Raises `ValueError` or `ArithmeticError` if a figure of the signal makes no trade.
    """
    wanted = context.instrument(signal.symbol, signal.asset_type)
    quote, market_open = latest(context, wanted)
    intent = Intent(
        signal_id=signal.signal_id,
        symbol=wanted.symbol,
        side=Side(signal.action),
        quantity=ZERO,
        entry=as_decimal(signal.entry_price),
        target=as_decimal(wanted.rounded(signal.target_price)),
        stop=as_decimal(wanted.rounded(signal.stop_price)),
        confidence=signal.confidence,
        made_at=parse_utc(signal.timestamp),
        strategy=signal.strategy,
        regime=_regime(signal),
        price=as_decimal(quote.price) if quote else None,
        price_time=quote.time if quote else None,
        market_open=market_open,
        currency=wanted.quote,
        unit_value=wanted.unit_value,
    )
    return _with_volatility(context, intent) if context.sizing.is_scaled else intent


def _regime(signal: Signal) -> str:
    row = select_one(SignalContext, _CONTEXT, [signal.pk])
    return (row and row.regime) or ""


def latest(context: TradingContext, wanted: Instrument) -> tuple[Quote | None, bool | None]:
    """Return the latest price and whether the market is open; None for what is not known."""
    symbol = wanted.symbol
    try:
        hours = context.hours(symbol)
        is_open = hours.is_open(context.clock(), context.grace) if _is_sure(wanted, hours) else None
        return context.market.quote(symbol), is_open
    except (FeedError, UnknownSymbol, ValueError) as error:
        logger.warning("%s: no price: %s", symbol, error)
    except Exception:
        logger.exception("%s: the market data failed; there is no price", symbol)
    return None, None


def _is_sure(wanted: Instrument, hours: TradingHours) -> bool:
    """Return whether these are the instrument's hours; those of the exchange may be a guess."""
    return wanted.hours != NOT_KNOWN or hours is ALWAYS_OPEN


def _with_volatility(context: TradingContext, intent: Intent) -> Intent:
    """Return the intent with its volatility, if there are enough bars."""
    try:
        found = volatility(context.market.bars(intent.symbol, context.clock()))
    except (ArgoError, ValueError) as error:
        logger.warning("%s: no volatility: %s", intent.symbol, error)
        return intent
    if found is None:
        return intent
    return replace(intent, volatility=found.present, usual_volatility=found.usual)


def size(
    context: TradingContext, intent: Intent, portfolio: Portfolio
) -> tuple[Intent, list[Denial]]:
    """Return the intent with the quantity that sizing and the limits allow, and any denial."""
    step = context.broker.step(intent.symbol)
    return with_quantity(context.sizing, intent, portfolio, context.limits, step)
