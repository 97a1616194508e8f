"""Build the trading context from the settings; nothing else reads them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path

from django.conf import settings

from execution.brokers.fill_model import Costs, FillModel
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperStore
from execution.brokers.protocol import Broker
from execution.context import TradingContext
from execution.money import as_decimal
from execution.prop_firm.days import trading_day
from execution.prop_firm.limits import tightened
from execution.prop_firm.presets import load
from execution.prop_firm.rule_set import RuleSet
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from signals import config
from signals.clock import Clock, utc_now
from signals.config import watched_market
from signals.market.hours import TradingHours, hours_of
from signals.market.instruments import instrument, normalised
from signals.market.protocol import MarketData

Hours = Callable[[str], TradingHours]


@cache
def trading_context() -> TradingContext:
    """Return the context of the account in the settings, one for each process: it keeps its
    connections.

    Raises `ArgoError` if the settings do not fit together.
    """
    return build_context(settings.TRADING_ACCOUNT, watched_market(), utc_now, _broker)


def build_context(
    account: str, prices: MarketData, clock: Clock, make: Callable[[str, MarketData, Clock], Broker]
) -> TradingContext:
    """Return the context of `account` on these prices and this clock; `make` builds its broker.

    Everything else comes from the settings. Raises `InvalidInput` if PROP_FIRM names no rule set.
    """
    firm = rule_set()
    return TradingContext(
        account=account,
        broker=make(account, prices, clock),
        market=prices,
        hours=hours,
        limits=limits(firm),
        journal=config.journal(),
        clock=clock,
        day_of=partial(trading_day, firm or days_without_firm()),
        sizing=_sizing(),
        rule_set=firm,
        auto_execute=settings.AUTO_EXECUTE,
        max_age=timedelta(seconds=settings.EXECUTION_MAX_AGE),
        grace=timedelta(seconds=settings.MARKET_AFTER_CLOSE),
        expiry=timedelta(days=settings.POSITION_MAX_DAYS),
        instrument=partial(instrument, ticks=_ticks()),
        starting_balance=starting_balance(),
        days_done=settings.PROP_FIRM_DAYS_DONE,
    )


def paper(
    account: str, prices: MarketData, clock: Clock, *, is_exclusive: bool = False
) -> PaperBroker:
    """Return the paper broker, with the deposit and the costs of the settings."""
    share = settings.PAPER_VOLUME_SHARE
    costs = Costs(
        as_decimal(settings.PAPER_SPREAD),
        as_decimal(settings.PAPER_SLIPPAGE),
        as_decimal(settings.PAPER_FEE),
    )
    fill_model = FillModel(costs, as_decimal(share) if share else None)
    store = PaperStore(account, as_decimal(settings.PAPER_DEPOSIT), is_exclusive)
    return PaperBroker(store, prices, hours, clock, fill_model)


def rule_set() -> RuleSet | None:
    """Return the rule set of PROP_FIRM. Raises `InvalidInput` if there is none of that name."""
    own = Path(settings.PROP_FIRM_FILE) if settings.PROP_FIRM_FILE else None
    return load(settings.PROP_FIRM, own)


def days_without_firm() -> RuleSet:
    """Return the rule set whose day begins at midnight in TRADING_ZONE."""
    return RuleSet(name="house", source="settings", zone=settings.TRADING_ZONE)


def starting_balance() -> Decimal | None:
    """Return the balance that a new account begins with, if the settings state it.

    A paper account begins with its deposit.
    """
    if settings.PROP_FIRM_STARTING_BALANCE:
        return as_decimal(settings.PROP_FIRM_STARTING_BALANCE)
    return as_decimal(settings.PAPER_DEPOSIT) if settings.BROKER == "paper" else None


def hours(symbol: str) -> TradingHours:
    """Return the trading hours of a symbol."""
    return hours_of(instrument(symbol), settings.MARKET_EXCHANGE)


def limits(firm: RuleSet | None) -> Limits:
    """Return the user's limits, or the stricter of both if there is a firm."""
    own = Limits(
        min_confidence=max(settings.MIN_CONFIDENCE, settings.PROP_FIRM_MIN_CONFIDENCE),
        min_confidence_by=settings.MIN_CONFIDENCE_BY_REGIME | settings.MIN_CONFIDENCE_BY_STRATEGY,
        allowed=_symbols(settings.RISK_ALLOWED) or None,
        restricted=_symbols(settings.RISK_RESTRICTED),
        price_max_age=settings.MARKET_PRICE_MAX_AGE,
        max_distance=as_decimal(settings.RISK_MAX_DISTANCE),
        max_positions=settings.RISK_MAX_POSITIONS,
        max_per_symbol=settings.RISK_MAX_PER_SYMBOL,
        max_per_group=settings.RISK_MAX_PER_GROUP,
        groups=[_symbols(group) for group in settings.RISK_GROUPS],
        max_position=as_decimal(settings.RISK_MAX_POSITION),
        max_stop=as_decimal(settings.RISK_MAX_STOP),
        max_daily_loss=as_decimal(settings.RISK_MAX_DAILY_LOSS),
        max_drawdown=as_decimal(settings.RISK_MAX_DRAWDOWN),
        orders_a_minute=settings.RISK_ORDERS_A_MINUTE,
        losses_in_a_row=settings.RISK_LOSSES_IN_A_ROW,
        cooldown=settings.RISK_COOLDOWN,
    )
    return tightened(own, firm) if firm else own


def _symbols(names: list[str]) -> frozenset[str]:
    return frozenset(map(normalised, names))


def _ticks() -> dict[str, Decimal]:
    return {normalised(name): as_decimal(tick) for name, tick in settings.MARKET_TICKS.items()}


def _sizing() -> Sizing:
    percent = as_decimal(settings.SIZING_PERCENT)
    return Sizing(settings.SIZING == "fixed_risk", percent, settings.SIZING_SCALED)


def _broker(account: str, prices: MarketData, clock: Clock) -> Broker:
    return paper(account, prices, clock) if settings.BROKER == "paper" else _alpaca(clock)


def _alpaca(clock: Clock) -> Broker:
    """Import it only when it is used: `alpaca-py` takes half a second and 20 MiB."""
    from execution.brokers.alpaca.broker import AlpacaBroker, endpoint

    url = endpoint(settings.ALPACA_LIVE, settings.ALPACA_TRADING_URL)
    return AlpacaBroker(settings.ALPACA_API_KEY, settings.ALPACA_SECRET_KEY, url, clock=clock)
