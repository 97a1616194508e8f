"""Build the trading context from the settings; nothing else reads them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from execution.analysis.backtest.plans import Detail, Offers, Terms
from execution.analysis.backtest.walk import AccountResult, AccountRules, walk
from execution.brokers.fill_model import Costs, FillModel
from execution.brokers.paper.broker import COIN_STEP, PaperBroker
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
from signals.analysis.backtest.rules import Entry
from signals.clock import Clock, utc_now
from signals.config import watched_market
from signals.instruments import instrument, name_of
from signals.market.hours import TradingHours, hours_of
from signals.market.instruments import Kind
from signals.market.protocol import MarketData

if TYPE_CHECKING:
    from signals.backtests.run import Backtest  # it loads pyarrow, which web servers need not

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
    firm, trading_hours = rule_set(), partial(hours, market=prices)
    return TradingContext(
        account=account,
        broker=make(account, prices, clock),
        market=prices,
        hours=trading_hours,
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
        instrument=instrument,
        starting_balance=starting_balance(),
        days_done=settings.PROP_FIRM_DAYS_DONE,
    )


def paper(
    account: str, prices: MarketData, clock: Clock, *, is_exclusive: bool = False
) -> PaperBroker:
    """Return the paper broker, with the deposit and the costs of the settings."""
    share = settings.PAPER_VOLUME_SHARE
    costs = map(as_decimal, (settings.PAPER_SPREAD, settings.PAPER_SLIPPAGE, settings.PAPER_FEE))
    fill_model = FillModel(Costs(*costs), as_decimal(share) if share else None)
    store = PaperStore(account, as_decimal(settings.PAPER_DEPOSIT), is_exclusive)
    trading_hours = partial(hours, market=prices)
    return PaperBroker(store, prices, trading_hours, clock, fill_model)


def account_rules() -> AccountRules:
    """Return how a backtest trades on one account: with the limits and the sizing of the settings.

    The loss and drawdown limits of a prop firm are not applied; its other limits are.
    """
    firm = rule_set()
    day_of = partial(trading_day, firm or days_without_firm())
    return AccountRules(as_decimal(settings.PAPER_DEPOSIT), _sizing(), limits(firm), day_of)


def traded_on_account(made: "Backtest", rules: AccountRules) -> AccountResult:
    """Trade the signals of a backtest, which has kept its rows, on one account."""
    costs = Costs(*map(as_decimal, (made.rules.spread, made.rules.slippage, made.rules.fee)))
    details = [
        Detail(row.signal_id, row.confidence, row.strategy, row.regime) for row in made.chosen.rows
    ]
    offers = Offers(
        made.chosen.table, made.trades, details, _terms, made.histories.by_symbol, costs,
        is_at_market=made.rules.entry is Entry.OPEN,
    )  # fmt: skip
    return walk(offers, rules)


def _terms(symbol: str) -> Terms:
    wanted = instrument(symbol)
    return Terms(wanted.quote, wanted.unit_value, wanted.step_or(COIN_STEP))


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


def hours(symbol: str, market: MarketData | None = None) -> TradingHours:
    """Return the trading hours of a symbol; `market` may show them by its bars."""
    return hours_of(instrument(symbol), settings.MARKET_EXCHANGE, market)


def limits(firm: RuleSet | None) -> Limits:
    """Return the user's limits, or the stricter of both if there is a firm."""
    own = Limits(
        min_confidence=max(settings.MIN_CONFIDENCE, settings.PROP_FIRM_MIN_CONFIDENCE),
        min_confidence_by_regime=settings.MIN_CONFIDENCE_BY_REGIME,
        min_confidence_by_strategy=settings.MIN_CONFIDENCE_BY_STRATEGY,
        allowed=_symbols(settings.RISK_ALLOWED) or None,
        restricted=_every_meaning(settings.RISK_RESTRICTED),
        currencies=frozenset(map(str.upper, settings.ACCOUNT_CURRENCY)),
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
    return frozenset(map(name_of, names))


def _every_meaning(names: list[str]) -> frozenset[str]:
    """Return every instrument that these texts may mean to some sender: ES is a stock, or a future.

    So a wrong or missing asset type cannot pass a restriction.
    """
    return frozenset(instrument(name, kind).symbol for name in names for kind in ("", *Kind))


def _sizing() -> Sizing:
    percent = as_decimal(settings.SIZING_PERCENT)
    return Sizing(settings.SIZING == "fixed_risk", percent, settings.SIZING_SCALED)


def _broker(account: str, prices: MarketData, clock: Clock) -> Broker:
    return paper(account, prices, clock) if settings.BROKER == "paper" else _alpaca(clock)


def _alpaca(clock: Clock) -> Broker:
    """Import it only when it is used: `alpaca-py` takes half a second and 20 MiB."""
    from execution.brokers.alpaca.broker import AlpacaBroker, endpoint
    from execution.brokers.alpaca.fees import SaleFees

    keys = settings.ALPACA_API_KEY, settings.ALPACA_SECRET_KEY
    url = endpoint(settings.ALPACA_LIVE, settings.ALPACA_TRADING_URL)
    rates = settings.ALPACA_SEC_FEE, settings.ALPACA_TAF, settings.ALPACA_TAF_MOST
    fees = SaleFees(*map(as_decimal, rates))
    return AlpacaBroker(*keys, url, fees=fees, clock=clock)
