"""The headline of a report: what the signals were worth, in a sentence with its uncertainty."""

from typing import Any

Section = dict[str, Any]
FEWEST = 30


def headline(counts: Section, outcomes: Section, origin: str | None) -> str:
    """Return one or two sentences; below 30 closed signals they claim nothing."""
    issued, closed = counts["issued"], counts["closed"]
    if not issued:
        return "There are no signals to report on."
    signals, have = ("signal" if issued == 1 else "signals"), ("has" if closed == 1 else "have")
    told = f"{issued:,} {signals} of the origin {origin}; {closed:,} {have} closed."
    if closed < FEWEST:
        return f"{told} That is too few to say what they are worth."
    won, expectancy = outcomes["win_rate"], outcomes["expectancy_pct"]
    if expectancy["value"] is None:
        return f"{told} {won['value']:.1%} of them won{_between(won, '.1%')}."
    return (
        f"{told} {won['value']:.1%} of them won{_between(won, '.1%')}. A signal brought "
        f"{expectancy['value']:+.2f}% on average{_between(expectancy, '+.2f', '%')}: "
        f"{_verdict(expectancy)}."
    )


def _between(figure: Section, form: str, unit: str = "") -> str:
    interval = figure["interval"]
    if interval is None:
        return ""
    low, high = format(interval["low"], form), format(interval["high"], form)
    return f" (95% interval {low}{unit} to {high}{unit})"


def _verdict(expectancy: Section) -> str:
    """Return what the interval allows to say."""
    interval = expectancy["interval"]
    if interval is None or interval["low"] <= 0 <= interval["high"]:
        return "that cannot be told from luck"
    return "an edge, before costs" if interval["low"] > 0 else "a loss, even before costs"
