"""The market that the settings name."""

from django.conf import settings
from django.utils.module_loading import import_string

from signals.market.protocol import MarketData


def market() -> MarketData:
    """The market that MARKET_DATA names. Raises `FeedError` where its settings do not do."""
    return {"sample": _sample, "files": _files, "alpaca": _alpaca}[settings.MARKET_DATA]()


def _sample() -> MarketData:
    made: MarketData = import_string("signals.market.sample.SampleMarket")()
    return made


def _files() -> MarketData:
    kind = import_string("signals.market.files.FolderMarket")
    made: MarketData = kind(settings.MARKET_FOLDER, settings.MARKET_EXCHANGE)
    return made


def _alpaca() -> MarketData:
    """Loaded only where it is wanted: `alpaca-py` takes half a second and 20 MiB."""
    made: MarketData = import_string("signals.market.alpaca.AlpacaMarket")(
        settings.ALPACA_API_KEY,
        settings.ALPACA_SECRET_KEY,
        settings.ALPACA_DATA_URL,
        feed=settings.ALPACA_FEED,
        exchange=settings.MARKET_EXCHANGE,
    )
    return made
