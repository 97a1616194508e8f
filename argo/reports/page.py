"""A report as one HTML file: no network, light and dark, and good on paper."""

from collections import defaultdict
from typing import Any

from django.template.loader import render_to_string

from argo.reports.divergence.page import divergence_rows
from argo.reports.style import complete_file
from argo.reports.svg import bar_chart, line_chart, reliability_chart
from argo.reports.text import HIDDEN, SHOWN_OF_CONFIDENCE, counted_text
from argo.reports.wording import figure_row
from argo.reports.worth_page import rule_tables, source_tables
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
    """Return the report as an HTML document that is complete in itself."""
    return render_to_string("reports/report.html", report_context(report) | complete_file(report))


def report_context(report: Section) -> Section:
    """Return what the page shows: texts for people, and charts."""
    series, bins = report["series"], report["calibration"]["bins"]
    return {
        "report": report,
        "key": [figure_row(name, report[section][name]) for section, name in KEY_FIGURES],
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
        "counted": counted_text(report["calibration"]["counted"]),
        "confidence_groups": [
            (by.replace("_", " "), _confidence_rows(found))
            for by, found in report["calibration"]["groups"].items()
        ],
        "years": _years(series["months"]),
        "month_names": MONTHS,
        "divergence": divergence_rows(report["divergence"]),
        "groups": [
            (by.replace("_", " "), _group_rows(found)) for by, found in report["groups"].items()
        ],
        "rules": rule_tables(report["rules"]),
        "sources": source_tables(report["sources"]),
        "extremes": [("Best", series["best"]), ("Worst", series["worst"])],
        "definitions": [DEFINITIONS[name] for _, name in KEY_FIGURES],
    }  # fmt: skip


def _rows(section: Section) -> list[Section]:
    return [figure_row(name, figure) for name, figure in section.items() if name not in HIDDEN]


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


def _confidence_rows(found: Section) -> list[Section]:
    return [
        {
            "name": name,
            "n": group["brier"]["n"],
            "figures": [figure_row(shown, group[shown]) for shown in SHOWN_OF_CONFIDENCE],
        }
        for name, group in found.items()
    ]


def _group_rows(found: Section) -> list[Section]:
    names = ("win_rate", "expectancy_pct", "profit_factor")
    return [
        {
            "name": name,
            "issued": group["issued"],
            "closed": group["closed"],
            "figures": [figure_row(shown, group[shown]) for shown in names],
        }
        for name, group in found.items()
    ]
