"""`manage.py replay`: fill the ledger with the signals that real daily bars give."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.generation.consensus import WeightedConsensus
from signals.generation.gate import Gate
from signals.generation.replay import Period, Recipe, ReplayClock, ReplaySummary, Tally, replay
from signals.generation.sources.trend import NAME, Trend
from signals.management.command import ArgoCommand, progress
from signals.market.bars import Bars
from signals.market.daily import session_close, session_day
from signals.market.sample import SampleMarket
from signals.tracker import SignalTracker


class Command(ArgoCommand):
    help = (
        "Walk real daily bars in the order of time, on the clock of that time, and store the "
        "signals they give. A second run stores nothing new."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        market = SampleMarket()
        parser.add_argument(
            "--symbols",
            default=",".join(market.symbols),
            help="which symbols, separated by commas (default: %(default)s)",
        )
        parser.add_argument("--from", dest="first", help="first day, YYYY-MM-DD (default: all)")
        parser.add_argument("--to", dest="last", help="last day, YYYY-MM-DD (default: all)")
        parser.add_argument(
            "--min-confidence",
            type=float,
            default=75.0,
            help="the least confidence of a signal, 0 to 100 (default: %(default)s)",
        )

    def run(self, options: dict[str, Any]) -> None:
        summary = _replay(options)
        self.answer(options, asdict(summary), _as_table(summary))


def _replay(options: dict[str, Any]) -> ReplaySummary:
    recipe = _recipe(options["min_confidence"])
    histories = _histories(options["symbols"])
    period = _period(histories, options["first"], options["last"])
    clock = ReplayClock(period.start)
    with (
        closing(SignalTracker.from_settings(origin="replay", clock=clock)) as tracker,
        progress(_count(histories, period), "bar") as bar,
    ):
        return replay(histories, period, recipe, tracker, clock, on_bars=bar.update)


def _recipe(min_confidence: float) -> Recipe:
    try:
        gate = Gate(min_confidence)
    except ValueError as error:
        raise _wrong("--min-confidence", str(error)) from error
    return Recipe([Trend()], WeightedConsensus({NAME: 1.0}), gate)


def _histories(symbols: str) -> list[Bars]:
    market = SampleMarket()
    names = [name.strip().upper() for name in symbols.split(",")]
    return [market.bars(name) for name in dict.fromkeys(names)]


def _period(histories: Sequence[Bars], first: str | None, last: str | None) -> Period:
    """From the first day to the last, cut to the days that have bars."""
    begins = min(session_day(bars.time_at(0)) for bars in histories)
    ends = max(session_day(bars.time_at(-1)) for bars in histories)
    there_are = f"there are bars from {begins} to {ends}"
    start = max(begins, _day("--from", first, there_are) if first else begins)
    end = min(ends, _day("--to", last, there_are) if last else ends)
    if start > end:
        wanted = f"{first or begins} to {last or ends}"
        raise _wrong("--from, --to", f"no day with bars lies in {wanted}; {there_are}")
    return Period(session_close(start), session_close(end))


def _day(option: str, text: str, there_are: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not a date; write it as YYYY-MM-DD; {there_are}"
        raise _wrong(option, message) from None


def _wrong(option: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(option, message)])


def _count(histories: Sequence[Bars], period: Period) -> int:
    return sum(period.count(bars) for bars in histories)


def _as_table(summary: ReplaySummary) -> str:
    total = Tally(summary.bars, summary.candidates, summary.stored)
    rows = [*summary.by_symbol.items(), ("all", total)]
    lines = [_line("symbol", "bars", "candidates", "stored")]
    lines += [_line(name, row.bars, row.candidates, row.stored) for name, row in rows]
    return "\n".join(lines)


def _line(symbol: str, *cells: object) -> str:
    return f"{symbol:<8}" + "".join(f"{cell!s:>12}" for cell in cells)
