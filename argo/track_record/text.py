"""Track records as text, for a terminal."""

from collections.abc import Iterator
from typing import Any

from argo.reports.wording import figure_text, title_lines
from argo.track_record.page import bracket_text, headline
from signals.analysis.definitions import DEFINITIONS

Section = dict[str, Any]


def records_text(records: list[Section]) -> str:
    """Return track records that are verified, figure by figure."""
    if not records:
        return "The bundle shows no signal that was received live."
    return "\n".join(line for record in records for line in _lines(record)).lstrip("\n")


def faults_text(found: Section) -> str:
    """Return every fault of a bundle."""
    return "\n".join(map(_fault, found["faults"]))


def _fault(fault: Section) -> str:
    place = "" if fault["index"] is None else f" entry {fault['index']}:"
    return f"WRONG ({fault['code']}):{place} {fault['message']}"


def _lines(record: Section) -> Iterator[str]:
    yield from title_lines(f"{record['strategy']} in {record['origin']}: verified")
    yield headline(record)
    yield bracket_text(record["brackets"], record["counts"]["shown"])
    yield ""
    for name, figure in record["figures"].items():
        word = "verified" if figure["verified"] else "NOT VERIFIED"
        yield f"{word:<13}{DEFINITIONS[name].title:<28}{figure_text(name, figure)}"
    yield ""
    counts = record["counts"]
    yield (
        f"{counts['shown']} signals shown, {counts['closed']} closed, {counts['open']} open; "
        f"{counts['counted_as_losses']} lines not shown count as losses"
    )
    yield "Not verified: that the prices of the outcomes were real"
    for remark in record["remarks"]:
        yield f"note: {remark}"
