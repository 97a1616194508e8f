"""A report as one HTML file: no network, light and dark, and good on paper."""

from collections import defaultdict
from typing import Any

from django.template.loader import render_to_string

from argo.reports.svg import bar_chart, line_chart, reliability_chart
from argo.reports.text import HIDDEN, number_text
from signals.analysis.definitions import DEFINITIONS

Section = dict[str, Any]
MONTHS = [f"{number:02d}" for number in range(1, 13)]
KEY_FIGURES = (
    ("outcomes", "win_rate"), ("outcomes", "expectancy_pct"), ("outcomes", "expectancy_r"),
    ("outcomes", "profit_factor"), ("equity", "sharpe"), ("equity", "max_drawdown_pct"),
    ("calibration", "brier_skill"), ("calibration", "ece"),
)  # fmt: skip

SECTIONS = (("Outcomes", "outcomes"), ("Equity", "equity"), ("Confidence", "calibration"))


def report_page(report: Section) -> str:
    """Return the report as a complete HTML document."""
    return render_to_string("reports/report.html", _context(report))


def _context(report: Section) -> Section:
    series, bins = report["series"], report["calibration"]["bins"]
    return {
        "report": report,
        "key": [_row(name, report[section][name]) for section, name in KEY_FIGURES],
        "sections": [(title, _rows(report[name])) for title, name in SECTIONS],
        "equity_chart": _equity_chart(series["equity"]),
        "drawdown_chart": _drawdown_chart(series["equity"]),
        "distribution_chart": bar_chart(
            "How many closed signals had each result",
            [(bar["low"], bar["high"]) for bar in series["distribution"]],
            [bar["n"] for bar in series["distribution"]],
        ),
        "reliability_chart": reliability_chart(
            "How often signals of each confidence reached their target",
            [(each["confidence"], each["share"]) for each in bins],
            [_band(each["interval"]) for each in bins],
        ),
        "bins": [_bin(each) for each in bins],
        "years": _years(series["months"]),
        "month_names": MONTHS,
        "groups": [
            (by.replace("_", " "), _group_rows(found)) for by, found in report["groups"].items()
        ],
        "rules": [
            {"code": code, "skipped": rule["skipped"], "cost": _row("cost_pct", rule["cost_pct"])}
            for code, rule in report["rules"].items()
        ],
        "extremes": [("Best", series["best"]), ("Worst", series["worst"])],
        "definitions": [DEFINITIONS[name] for _, name in KEY_FIGURES],
    }  # fmt: skip


def _rows(section: Section) -> list[Section]:
    return [_row(name, figure) for name, figure in section.items() if name not in HIDDEN]


def _row(name: str, figure: Section) -> Section:
    """Return a figure with its texts for people."""
    value, interval = figure["value"], figure["interval"]
    between = None
    if interval is not None:
        between = tuple(number_text(name, interval[end]) for end in ("low", "high"))
    return {
        "title": DEFINITIONS[name].title,
        "value": None if value is None else number_text(name, value),
        "is_negative": value is not None and value < 0,
        "n": figure["n"],
        "interval": between,
        "definition": figure["definition"],
        "null_because": figure["null_because"],
    }


def _equity_chart(points: list[Section]) -> str:
    days, values = [each["day"] for each in points], [each["equity"] for each in points]
    return line_chart("The account's equity, day by day", days, values, form=",.0f")


def _drawdown_chart(points: list[Section]) -> str:
    days, values = [each["day"] for each in points], [each["drawdown_pct"] for each in points]
    return line_chart(
        "How far the equity was below its peak, in percent", days, values, form=".1f", filled=True
    )


def _band(interval: Section | None) -> tuple[float, float] | None:
    return None if interval is None else (interval["low"], interval["high"])


def _bin(row: Section) -> Section:
    names = ("low", "high", "confidence", "share")
    return {"n": row["n"]} | {name: f"{row[name]:.1%}" for name in names}


def _years(months: list[Section]) -> list[tuple[str, list[Section]]]:
    """Return each year with the returns of its twelve months; empty if a month has none."""
    years: dict[str, dict[str, float]] = defaultdict(dict)
    for each in months:
        year, month = each["month"].split("-")
        years[year][month] = each["return_pct"]
    return [(year, [_month(found.get(month)) for month in MONTHS]) for year, found in years.items()]


def _month(value: float | None) -> Section:
    """Return a month's text, in percent; what rounds to 0 is not negative."""
    if value is None:
        return {"text": "", "is_negative": False}
    rounded = round(value, 1) or 0.0
    return {"text": f"{rounded:.1f}", "is_negative": rounded < 0}


def _group_rows(found: Section) -> list[Section]:
    names = ("win_rate", "expectancy_pct", "profit_factor")
    return [
        {
            "name": name,
            "issued": group["issued"],
            "closed": group["closed"],
            "figures": [_row(shown, group[shown]) for shown in names],
        }
        for name, group in found.items()
    ]
