"""`manage.py replay`: fill the ledger with the signals of past bars."""

from collections.abc import Iterable, Sequence
from contextlib import closing, nullcontext
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.module_loading import import_string

from argo.errors import FieldError, InvalidInput
from signals.backtests.replayed import Replayed, record_replay
from signals.clock import utc_now
from signals.config import market
from signals.generation import factory
from signals.generation.candidate import Candidate
from signals.generation.candidates import Judged, keep, stored_signals
from signals.generation.replay import (
    WARM_UP,
    Period,
    ReplayClock,
    ReplayCounts,
    ReplaySummary,
    Trading,
    replay,
)
from signals.management.command import ArgoCommand, progress
from signals.management.symbols import add_symbols, symbols_of
from signals.market.bars import Bars
from signals.market.protocol import MarketData
from signals.tracker import SignalTracker

BEGINNING = date(1970, 1, 1)


class Command(ArgoCommand):
    help = (
        "Walk through the past bars of the market in MARKET_DATA, in time order and on the clock "
        "of that time, and store the signals that they give. A second run stores nothing new."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_symbols(parser)
        parser.add_argument("--from", dest="first", help="first day, YYYY-MM-DD (default: all)")
        parser.add_argument("--to", dest="last", help="last day, YYYY-MM-DD (default: all)")
        parser.add_argument(
            "--min-confidence",
            type=float,
            help="minimum confidence of a signal, 0 to 100 (default: MIN_CONFIDENCE)",
        )
        parser.add_argument(
            "--raw",
            action="store_true",
            help="leave the confidence as the consensus makes it, whatever CALIBRATION says",
        )
        parser.add_argument(
            "--execute",
            action="store_true",
            help="also trade the signals, on paper, in the account `replay`",
        )

    def run(self, options: dict[str, Any]) -> None:
        try:
            summary, trades = _replay(options)
        except KeyboardInterrupt:
            self.fail("Interrupted. Stored signals remain; run the same command to continue.")
        text = "\n\n".join(filter(None, (_as_tables(summary), _as_lines(trades))))
        self.answer(options, summary.as_dict() | trades, text)


def _replay(options: dict[str, Any]) -> tuple[ReplaySummary, dict[str, Any]]:
    pipeline = factory.pipeline(options["min_confidence"], calibrated=not options["raw"])
    days = _day("--from", options["first"]), _day("--to", options["last"])
    names = symbols_of(options["symbols"])
    source = market()
    period = _period(source, *days)
    histories = [source.bars(name, period.end, period.start - WARM_UP) for name in names]
    total = sum(map(period.count, histories))
    if not total:
        raise _invalid("--from, --to", _no_bars(source, names, *days))
    clock = ReplayClock(period.start)
    passed: list[Candidate] = []

    def keep_all(judged: Sequence[Judged]) -> None:
        keep(judged)
        passed.extend(each.candidate for each in judged if not each.reasons)

    with (
        closing(SignalTracker("replay", clock, wakes_worker=False)) as tracker,
        progress(total, "bar") as bar,
    ):
        trading = _trading(histories, clock) if options["execute"] else None
        with closing(trading) if trading else nullcontext():
            summary = replay(
                histories, period, pipeline, tracker, clock, keep_all, stored_signals, bar.update,
                trading,
            )  # fmt: skip
            found = trading.finish() if trading else {}
            traded = trading.traded() if trading else None
    parameters = factory.parameters(options["min_confidence"])
    record_replay(Replayed(histories, period, source, passed, traded), parameters, utc_now())
    return summary, found


def _trading(histories: Sequence[Bars], clock: ReplayClock) -> Trading:
    made: Trading = import_string(settings.REPLAY_EXECUTION)(histories, clock)
    return made


def _period(source: MarketData, first: date | None, last: date | None) -> Period:
    """Return the UTC days from `first` to `last`; every exchange's session ends within its day.

    The midnight that ends a day belongs to that day, as in the bars of crypto.
    """
    first, now = max(first or BEGINNING, BEGINNING), source.now()
    end = _midnight(last) + timedelta(days=1) if last and last < now.date() else now
    return Period(_midnight(first) + timedelta(microseconds=1), end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _no_bars(
    source: MarketData, names: Iterable[str], first: date | None, last: date | None
) -> str:
    bars = [
        each for name in names if len(each := source.bars(name, source.now(), _midnight(BEGINNING)))
    ]
    if not bars:
        return f"there are no bars of {', '.join(names)}"
    begins = min(each.time_at(0).date() for each in bars)
    ends = max(each.time_at(-1).date() for each in bars)
    return (
        f"there are no bars from {first or begins} to {last or ends}; there are bars from "
        f"{begins} to {ends}"
    )


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid(option, f"{text!r} is not a date; write it as YYYY-MM-DD") from None


def _invalid(option: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(option, message)])


def _as_tables(summary: ReplaySummary) -> str:
    """Return a table by symbol, by regime and in total, with a column for each reason."""
    codes = sorted(summary.total.rejected)
    head = ["", "bars", "candidates", *codes, "stored"]
    rows = [*summary.by_symbol.items(), *summary.by_regime.items(), ("all", summary.total)]
    lines = [_line(*head), *(_line(name, *_cells(counts, codes)) for name, counts in rows)]
    return "\n".join(lines)


def _as_lines(trades: dict[str, Any]) -> str:
    """Return the results of the trades, one line for each kind of count."""
    counts = {name: ", ".join(f"{count} {what}" for what, count in found.items())
              for name, found in trades.items()}  # fmt: skip
    return "\n".join(f"{name:<12}{text or 'none'}" for name, text in counts.items())


def _cells(counts: ReplayCounts, codes: Sequence[str]) -> list[int]:
    rejected = [counts.rejected[code] for code in codes]
    return [counts.bars, counts.candidates, *rejected, counts.stored]


def _line(name: str, *cells: object) -> str:
    return f"{name:<8}" + "".join(f"{cell!s:>12}" for cell in cells)
