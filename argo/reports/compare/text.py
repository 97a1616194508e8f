"""A comparison as text, for a terminal."""

from collections.abc import Iterator
from typing import Any

from argo.reports.wording import SHARES, number_text
from signals.analysis.definitions import DEFINITIONS

Section = dict[str, Any]
TITLES = (
    ("outcomes", "Outcomes"), ("equity", "Equity"), ("calibration", "Is the confidence true?"),
)  # fmt: skip
COLUMNS = "{:<32}{:>28}{:>28}{:>30}"


def comparison_text(compared: Section) -> str:
    """Return the headline, both sides, each figure with its difference, and the assumptions."""
    return "\n".join(
        [
            compared["headline"],
            "",
            *(f"{side.upper()}: {side_text(compared[side])}" for side in ("a", "b")),
            *_counts(compared["counts"]),
            *(line for name, title in TITLES for line in _figures(title, compared[name])),
            "",
            "What this assumes",
            "-----------------",
            *(f"- {sentence}" for sentence in compared["assumptions"]),
            "",
            f"Made at {compared['made_at']} by Argo {compared['version']}.",
        ]
    )


def side_text(side: Section) -> str:
    """Return what a side is: its filter and its origin."""
    told = [f"{name} {value}" for name, value in side["filter"].items() if name != "origin"]
    return f"{', '.join(told) or 'all signals'}; origin {side['origin'] or 'none'}"


def difference_text(name: str, value: float) -> str:
    """Return a difference for people: of shares and percents in percentage points."""
    if name in SHARES:
        return f"{_rounded(value * 100, 1):+,.1f} points"
    if name.endswith("_pct"):
        return f"{_rounded(value, 2):+,.2f} points"
    text = number_text(name, value)
    return text if value < 0 else f"+{text}"


def _rounded(value: float, digits: int) -> float:
    """Return the number rounded; what rounds to 0 has no sign."""
    return round(value, digits) or 0.0


def common_reason(section: Section) -> str | None:
    """Return why no difference of this section has an interval, if that has one reason."""
    known = [
        row["difference"] for row in section.values() if row["difference"]["value"] is not None
    ]
    reasons = {found["no_interval_because"] for found in known}
    return reasons.pop() if len(reasons) == 1 else None


def _counts(counts: Section) -> Iterator[str]:
    yield from ("", COLUMNS.format("Signals", "A", "B", "A less B"))
    for name, row in counts.items():
        yield COLUMNS.format(name, f"{row['a']:,}", f"{row['b']:,}", f"{row['difference']:+,}")


def _figures(title: str, section: Section) -> Iterator[str]:
    yield from ("", COLUMNS.format(title, "A", "B", "A less B"))
    for name, row in section.items():
        sides = [_side(name, row[side]) for side in ("a", "b")]
        marks = {"a": " *A", "b": " *B", None: ""}
        told = f"{_difference(name, row['difference'])}{marks[row['difference']['better']]}"
        yield COLUMNS.format(DEFINITIONS[name].title, *sides, told)
    if why := common_reason(section):
        yield f"No interval of a difference: {why}."
    if any(row["difference"]["better"] for row in section.values()):
        yield "* better, by more than luck alone would often do"


def _side(name: str, figure: Section) -> str:
    if figure["value"] is None:
        return "-"
    interval = figure["interval"]
    between = ""
    if interval is not None:
        ends = (number_text(name, interval[end]) for end in ("low", "high"))
        between = f" ({' to '.join(ends)})"
    return f"{number_text(name, figure['value'])}{between}"


def interval_texts(name: str, interval: Section) -> tuple[str, str]:
    """Return both ends of the interval of a difference, without their unit."""
    low, high = (
        difference_text(name, interval[end]).removesuffix(" points") for end in ("low", "high")
    )
    return low, high


def _difference(name: str, found: Section) -> str:
    if found["value"] is None:
        return "-"
    value = difference_text(name, found["value"])
    if found["interval"] is None:
        return value
    ends = interval_texts(name, found["interval"])
    return f"{value.removesuffix(' points')} ({' to '.join(ends)})"
