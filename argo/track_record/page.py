"""What the page of a track record shows: texts for people, and charts."""

from datetime import datetime
from typing import Any

from argo.reports.svg import line_chart, reliability_chart
from argo.reports.wording import figure_row, number_text
from signals.analysis.definitions import DEFINITIONS

Section = dict[str, Any]
MINUTE, HOUR, DAY = 60, 3600, 86400


def record_context(record: Section) -> Section:
    """Return what the page shows."""
    series, bins = record["series"], record["bins"]
    days = [each["at"][:10] for each in series]
    return {
        "record": record,
        "headline": headline(record),
        "figures": [
            figure_row(name, figure) | {"verified": figure["verified"], "basis": figure["basis"]}
            for name, figure in record["figures"].items()
        ],
        "equity_chart": line_chart(
            "The equity after each closed signal, in percent of the beginning",
            days,
            [each["equity_pct"] for each in series],
            form="+.1f",
        ),
        "drawdown_chart": line_chart(
            "How far the equity was below its highest value, in percent",
            days,
            [each["drawdown_pct"] for each in series],
            form=".1f",
            filled=True,
        ),
        "reliability_chart": reliability_chart(
            "How often signals of each confidence won",
            [(each["confidence"], each["share"]) for each in bins],
            [_band(each["interval"]) for each in bins],
        ),
        "bins": [_bin(each) for each in bins],
        "bracket": bracket_text(record["brackets"], record["counts"]["shown"]),
        "signals": [_signal(each) for each in record["signals"]],
        "definitions": [DEFINITIONS[name] for name in record["figures"]],
    }


def headline(record: Section) -> str:
    """Return in one or two sentences what the record says, with what is not shown."""
    if not record["accepted"]:
        return "The bundle of this record has faults: nothing in it is proved."
    counts, share = record["counts"], record["figures"]["record_win_rate"]
    if share["value"] is None:
        return f"{_number(counts['shown'], 'signal')} received live; none has closed yet."
    won = number_text("win_rate", share["value"])
    between = share["interval"]
    span = (
        " (too few for an interval)"
        if between is None
        else f" (95% interval {between['low']:.1%} to {between['high']:.1%})"
    )
    missing = counts["counted_as_losses"]
    hidden = (
        "Every line of the record is shown."
        if not missing
        else f"{_number(missing, 'line')} of the record not shown, each counted as a loss."
    )
    return f"{won} of {_number(share['n'], 'closed signal')} won{span}. {hidden}"


def bracket_text(brackets: Section, shown: int) -> str:
    """Return how exactly the times of the signals are proved."""
    middle, widest = brackets["median_seconds"], brackets["widest_seconds"]
    without = brackets["with_an_open_end"]
    if middle is None:
        return "The time of no signal is proved at both ends."
    text = (
        f"The time of {_number(shown - without, 'signal')} is proved to within {span_text(middle)} "
        f"(median; at most {span_text(widest)})."
    )
    return (
        text if not without else f"{text} {_number(without, 'signal')} proved at one end at most."
    )


def span_text(seconds: float) -> str:
    """Return a length of time for people."""
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds >= 2 * size or (unit == "minute" and seconds >= size):
            return _number(round(seconds / size), unit)
    return _number(round(seconds), "second")


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _band(interval: Section | None) -> tuple[float, float] | None:
    return None if interval is None else (interval["low"], interval["high"])


def _bin(row: Section) -> Section:
    return {"n": row["n"]} | {
        name: f"{row[name]:.1%}" for name in ("low", "high", "confidence", "share")
    }


def _signal(each: Section) -> Section:
    """Return a signal with its bracket as text."""
    ends = [_moment(each[name]) for name in ("made_after", "existed_by")]
    percent = each["profit_loss_pct"]
    return each | {
        "received": _moment(each["received_at"]),
        "made_after": ends[0] or "not proved",
        "existed_by": ends[1] or "not proved",
        "result": "" if percent is None else f"{percent:+.2f}%",
        "is_loss": percent is not None and percent < 0,
    }


def _moment(text: str | None) -> str:
    return "" if text is None else f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"
