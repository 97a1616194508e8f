"""A backtest as text for people: the assumptions first, then the result as a table."""

from collections.abc import Iterator, Sequence

from signals.analysis.backtest.columns import Ending, Skipped
from signals.analysis.backtest.rules import assumptions
from signals.analysis.backtest.summary import Summary
from signals.backtests.run import Backtest

MOST_NAMED = 10
"""Symbols without bars, and refused lines, that are named."""
WIDTH = 12


def as_text(made: Backtest) -> str:
    """Return the whole text."""
    found = made.summary
    blocks = [
        ["Assumptions", *(f"- {each}" for each in assumptions(made.rules))],
        ["Signals", *_signals(made, found)],
        ["Trades", *_trades(found), *(_finer(found) if made.finer else ())],
        list(_notes(made)),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _signals(made: Backtest, found: Summary) -> Iterator[str]:
    yield _line(found.signals, "in all")
    for origin, count in sorted(made.chosen.origins.items()):
        yield _line(count, f"of the origin {origin}")
    yield _line(found.entered, "entered")
    for code in Skipped:
        if number := found.skipped.get(code.name.lower()):
            yield _line(number, f"not entered: {code.meaning}")


def _trades(found: Summary) -> Iterator[str]:
    for count, what in (
        (found.wins, "won"), (found.losses, "lost"), (found.breakeven, "breakeven"),
        (found.expired, "expired, whatever they made"), (found.open, "still open"),
    ):  # fmt: skip
        yield _line(count, what)
    for code in (Ending.STOP, Ending.TARGET, Ending.DELISTED):
        yield _line(found.endings[code.name.lower()], f"ended: {code.meaning}")
    yield _line(_percent(found.average_pct), "on average, of each entry, after costs")
    yield _line(_percent(found.total_pct), "in total, each with the same money")
    share = None if found.ambiguous_share is None else 100 * found.ambiguous_share
    yield _line(_percent(share), "decided by the unknown order of prices within a bar")
    yield _line(found.rescaled, "with prices moved by a split or a dividend")


def _finer(found: Summary) -> Iterator[str]:
    """Yield how often the order of prices within a bar counted before finer bars were asked."""
    before = found.ambiguous + found.ordered
    share = _percent(100 * before / found.entered if found.entered else None)
    yield _line(share, f"before finer bars, which decided {found.ordered} of these {before} trades")


def _notes(made: Backtest) -> Iterator[str]:
    if missing := made.histories.missing:
        yield from _named("Without bars", [f"{name}: {why}" for name, why in missing.items()])
    if made.finer and (missing := made.finer.missing):
        yield from _named("Without finer bars", [f"{name}: {why}" for name, why in missing.items()])
    if dropped := made.histories.dropped:
        yield f"{dropped} bars were left out: their prices are not numbers above 0."
    if refused := made.chosen.refused.first:
        yield from _named(
            "Lines without a signal", [f"line {line}: {why}" for line, why in refused]
        )


def _named(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield title
    yield from (f"- {line}" for line in lines[:MOST_NAMED])
    if len(lines) > MOST_NAMED:
        yield "- and more"


def _line(figure: object, what: str) -> str:
    return f"{figure!s:>{WIDTH}}  {what}"


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}%"
