"""What a comparison says in a sentence or two."""

from typing import Any

from signals.analysis.intervals import FEWEST

Section = dict[str, Any]
MAIN = "expectancy_pct"


def verdict(a: Section, b: Section, compared: Section, shared: int) -> str:
    """Return which side was better by its mean result, and if that may be luck; `a` and `b` are the
    counts of both sides."""
    closed = f"A has {a['closed']:,} closed signals, B {b['closed']:,}."
    if shared:
        return f"{closed} {_overlap(shared, a, b)}"
    if min(a["closed"], b["closed"]) < FEWEST:
        return f"{closed} That is too few to say which is better: it takes {FEWEST} on each side."
    row = compared["outcomes"][MAIN]
    if row["difference"]["value"] is None:
        return f"{closed} Their results are not known."
    first, second = row["a"]["value"], row["b"]["value"]
    brought = f"On average a signal of A brought {first:+.2f}%, one of B {second:+.2f}%"
    return f"{closed} {brought}: {_which(row['difference'])}."


def _overlap(shared: int, a: Section, b: Section) -> str:
    if shared == a["issued"] == b["issued"]:
        return "Both sides are the same signals: there is nothing to compare."
    return (
        f"{shared:,} signals are on both sides: compare two filters that share none to see what is "
        "more than luck."
    )


def _which(found: Section) -> str:
    if found["value"] == 0:
        return "neither is better"
    by = f"{'A' if found['value'] > 0 else 'B'} is better by {abs(found['value']):.2f} points"
    interval = found["interval"]
    if interval is None:
        return f"{by}, and nobody knows how sure that is: {found['no_interval_because']}"
    between = f"95% interval of A less B: {interval['low']:+.2f} to {interval['high']:+.2f}"
    judged = "cannot be told from luck" if found["better"] is None else "luck alone rarely does"
    return f"{by} ({between}), which {judged}"
