"""Builds the journal, the flusher, the sequencer and the market from the settings."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import import_string

from signals.feed.sequence import Sequencer
from signals.instruments import instrument
from signals.journal import Journal
from signals.ledger.durability.commits import Commits
from signals.ledger.durability.confirmer import Confirmer
from signals.ledger.durability.modes import LOCAL, ON_THIS_MACHINE, Durability, InDatabase
from signals.ledger.flush import Flusher
from signals.ledger.ownership import ensure_owner
from signals.ledger.store import StoredHandler
from signals.market.protocol import MarketData
from signals.market.watched import PriceWatch, WatchedMarket
from signals.wakeup import WakeUp


@cache
def journal() -> Journal:
    """Return this machine's journal: one for each process, whose threads share writes."""
    return Journal(settings.DATA_DIR / "signals.log", segment_bytes=settings.SIGNAL_SEGMENT_BYTES)


def flusher() -> Flusher:
    """Return a flusher from the journal to the default database that calls the stored handlers.

    It refuses to flush if the data folder is a copy of one that is in use.
    """
    return flusher_of(journal(), guard=partial(ensure_owner, journal()))


def flusher_of(source: Journal, guard: Callable[[], None] = lambda: None) -> Flusher:
    """Return a flusher from any journal to the default database; it calls the stored handlers."""
    return Flusher(
        source,
        handlers=stored_handlers(),
        max_lines=settings.SIGNAL_FLUSH_ROWS,
        guard=guard,
        after=wake_sequence,
    )


def sequencer() -> Sequencer:
    """Return what gives the lines of this machine's journal their indexes."""
    return sequencer_of(journal(), guard=partial(ensure_owner, journal()))


def sequencer_of(source: Journal, guard: Callable[[], None] = lambda: None) -> Sequencer:
    """Return what gives the lines of any journal their indexes."""
    return Sequencer(source, max_lines=settings.SIGNAL_FLUSH_ROWS, guard=guard)


@cache
def durability() -> Durability:
    """Return what SIGNAL_DURABILITY promises for the lines of this machine's journal."""
    return durability_of(Commits(flusher()).confirm)


def durability_of(store: Callable[[], bool]) -> Durability:
    """Return what SIGNAL_DURABILITY promises for a journal.

    `store` stores what it has in the database, and returns whether that is confirmed.
    """
    if settings.SIGNAL_DURABILITY == LOCAL:
        return ON_THIS_MACHINE
    wait, falls_back = settings.SIGNAL_DURABILITY_WAIT, settings.SIGNAL_DURABILITY_FALLBACK
    return InDatabase(Confirmer(store), wait, falls_back)


def stored_handlers() -> list[StoredHandler]:
    """Return the functions that SIGNAL_STORED_HANDLERS names, in order."""
    return [*_imported(tuple(settings.SIGNAL_STORED_HANDLERS))]


@cache
def _imported(paths: tuple[str, ...]) -> tuple[StoredHandler, ...]:
    """Import each of these once: every POST asks for them."""
    return tuple(map(import_string, paths))


def wake_flush(count: int) -> None:
    """Ask a worker to flush, because `count` more signals wait. Return at once."""
    _flush_wakeup().notify(count)


@cache
def _flush_wakeup() -> WakeUp:
    return WakeUp(
        "signals.tasks.flush",
        batch_size=settings.SIGNAL_BATCH_SIZE,
        linger=settings.SIGNAL_FLUSH_LINGER,
        expires=settings.SIGNAL_BATCH_TIMEOUT,
    )


def wake_sequence(count: int) -> None:
    """Ask a worker to give `count` more lines their indexes. Return at once."""
    if count:
        _sequence_wakeup().notify(count)


@cache
def _sequence_wakeup() -> WakeUp:
    return WakeUp(
        "signals.tasks.sequence",
        linger=settings.SIGNAL_FLUSH_LINGER,
        expires=settings.SIGNAL_BATCH_TIMEOUT,
    )


def market() -> MarketData:
    """Return the market that MARKET_DATA names. Raises `FeedError` if its settings are invalid."""
    return {"sample": _sample, "files": _files, "alpaca": _alpaca}[settings.MARKET_DATA]()


def watched_market() -> MarketData:
    """Return the same market; the age of its prices is recorded in `price_watch`."""
    return WatchedMarket(market(), price_watch())


@cache
def price_watch() -> PriceWatch:
    """Return the ages of the prices that this process uses."""
    return PriceWatch()


def _sample() -> MarketData:
    made: MarketData = import_string("signals.market.sample.SampleMarket")()
    return made


def _files() -> MarketData:
    return folder_market(settings.MARKET_FOLDER)


def folder_market(folder: Path) -> MarketData:
    """Return the market of a folder of bars. Raises `FeedError` if it is not a folder."""
    kind = import_string("signals.market.files.FolderMarket")
    made: MarketData = kind(folder, settings.MARKET_EXCHANGE, find=instrument)
    return made


def _alpaca() -> MarketData:
    """Import it only if it is set: `alpaca-py` takes half a second and 20 MiB."""
    made: MarketData = import_string("signals.market.alpaca.AlpacaMarket")(
        settings.ALPACA_API_KEY,
        settings.ALPACA_SECRET_KEY,
        settings.ALPACA_DATA_URL,
        feed=settings.ALPACA_FEED,
        exchange=settings.MARKET_EXCHANGE,
        find=instrument,
    )
    return made
