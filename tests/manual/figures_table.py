"""Makes the manual's tables of figures from their definitions.

Run as `python -m tests.manual.figures_table`: it renews the tables in `templates/docs/report.md`.
"""

from signals.analysis.definitions import DEFINITIONS, Definition
from tests.installation import ROOT

PAGE = ROOT / "templates/docs/report.md"
BEGIN, END = "[//]: # (figures: begin)", "[//]: # (figures: end)"
"""Around the table. Markdown shows nothing for such a line."""
HEAD = (
    "| figure | how it is computed | unit | counts | undefined if |\n"
    "| --- | --- | --- | --- | --- |"
)
BAR = "\\|"
"""A bar inside a cell."""


def table() -> str:
    """Return the table of all figures, between its marks."""
    rows = [_row(each) for each in DEFINITIONS.values()]
    return "\n".join([BEGIN, "", HEAD, *rows, "", END])


def renewed(page: str) -> str:
    """Return the page with the table as it should be."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    assert found, f"{PAGE} has no line {END}"
    return before + table() + after


def _row(each: Definition) -> str:
    source = f" ({each.source})" if each.source else ""
    cells = (f"`{each.name}`", each.formula + source, each.unit, each.counted, each.undefined)
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
