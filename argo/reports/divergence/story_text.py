"""The comparison of one signal's worlds as text; it loads no library of figures."""

from collections.abc import Iterator, Mapping
from typing import Any

from argo.reports.divergence.text import PRICES, WORLDS, percent

Fields = Mapping[str, Any]


def divergence_story_lines(found: Fields) -> Iterator[tuple[str, str]]:
    """Yield names and values: the prices, the results, and the causes of each difference."""
    if found["problem"]:
        yield "not compared", found["problem"]
        return
    for name, title in PRICES.items():
        price = found["prices"][name]
        yield title, "not known" if price is None else f"{price:.6g}"
    for world, title in WORLDS.items():
        ended = found["ended"].get(world)
        yield title.lower(), percent(found["results_pct"][world]) + (f", {ended}" if ended else "")
    for part in found["causes"]:
        note = f", {part['note']}" if part["note"] else ""
        yield f"{part['step']}: {part['cause']}", f"{percent(part['percent'])}{note}"
