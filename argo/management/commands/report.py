"""`manage.py report`: what signals were worth, how sure that is, and what it assumes."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from argo.reports.compare.asked import other_side
from argo.reports.compare.comparison import make_comparison
from argo.reports.compare.page import comparison_page
from argo.reports.compare.text import comparison_text
from argo.reports.csv_file import figures_csv
from argo.reports.daily.days import last_complete
from argo.reports.daily.files import folder, stored
from argo.reports.daily.making import make_daily
from argo.reports.page import report_page
from argo.reports.query import ReportQuery
from argo.reports.report import make_report
from argo.reports.text import report_text
from argo.track_record.reading import verified_bundle
from argo.track_record.text import faults_text, records_text
from signals.clock import utc_now
from signals.management.command import ArgoCommand
from signals.management.filters import add_filters, filter_of

Encode = Callable[[dict[str, Any]], str]
LAST = "last"


class Command(ArgoCommand):
    help = (
        "Report what the selected signals were worth: outcomes, the account's equity, whether the "
        "confidence is true, groups, and every assumption. Without --origin it is about the origin "
        "that most of the signals have, and says so. --against compares them with others."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--html", metavar="FILE", help="write a page for people to this file")
        parser.add_argument("--csv", metavar="FILE", help="write the figures to this file")
        parser.add_argument(
            "--against", metavar="NAME=VALUE", nargs="+",
            help="compare with the same filters, these changed: symbol=MSFT, origin=replay, "
            "period=last-month, or the word previous: the period before",
        )  # fmt: skip
        parser.add_argument(
            "--daily", metavar="DAY", nargs="?", const=LAST,
            help="make the daily report of this day of the account, 2026-11-28, or of the last one "
            "that is over",
        )  # fmt: skip
        parser.add_argument("--list", action="store_true", help="list the daily reports")
        parser.add_argument(
            "--bundle", metavar="FILE",
            help="report on a bundle of the public record, from it alone; with --policy, and "
            "--strategy for one strategy",
        )  # fmt: skip
        parser.add_argument("--policy", metavar="FILE", help="the keys to trust, for --bundle")
        add_filters(parser, ReportQuery)

    def run(self, options: dict[str, Any]) -> None:
        query, now = filter_of(options, ReportQuery), utc_now()
        if options["list"]:
            self._list(options)
        elif options["daily"]:
            self._make_daily(options, now)
        elif options["bundle"]:
            self._report_bundle(options)
        else:
            self._report(options, query, now)

    def _report(self, options: dict[str, Any], query: ReportQuery, now: datetime) -> None:
        text: Encode
        if options["against"]:
            other = other_side(query, options["against"], now)
            found = make_comparison(query.selection(now), other.selection(now), now)
            text, forms = comparison_text, {"html": comparison_page, "csv": figures_csv}
        else:
            found = make_report(query.selection(now), now)
            text, forms = report_text, {"html": report_page, "csv": figures_csv}
        paths = _written(options, forms, found)
        if paths:
            result = {"path": paths[0]} if len(paths) == 1 else {"paths": paths}
            self.answer(options, result, f"The report is in {' and '.join(paths)}")
        else:
            self.answer(options, found, text(found))

    def _report_bundle(self, options: dict[str, Any]) -> None:
        if not options["policy"]:
            raise InvalidInput([FieldError("--policy", "is needed with --bundle")])
        for name in ("html", "csv", "against"):
            if options[name]:
                raise InvalidInput([FieldError(f"--{name}", "is not possible with --bundle")])
        bundle = verified_bundle(Path(options["bundle"]), Path(options["policy"]))
        if not bundle.found["ok"]:
            self.answer(options, bundle.found, faults_text(bundle.found))
            self.fail("The bundle is not accepted: nothing in it is proved.")
        records = bundle.records(options["strategy"])
        self.answer(options, {"track_records": records}, records_text(records))

    def _make_daily(self, options: dict[str, Any], now: datetime) -> None:
        given = options["daily"]
        day = last_complete(now) if given == LAST else _day(given)
        try:
            paths = [str(path) for path in make_daily(day, now)]
        except OSError as error:
            raise _unwritable(str(folder()), error) from error
        self.answer(options, {"paths": paths}, f"The daily report is in {', '.join(paths)}")

    def _list(self, options: dict[str, Any]) -> None:
        days = {str(day): forms for day, forms in stored().items()}
        lines = [f"{day}  {', '.join(forms)}" for day, forms in days.items()]
        text = "\n".join([f"Daily reports in {folder()}:", *lines])
        none = f"There is no daily report in {folder()} yet: argo report --daily makes one."
        self.answer(options, {"folder": str(folder()), "days": days}, text if lines else none)


def _written(options: dict[str, Any], forms: dict[str, Any], report: dict[str, Any]) -> list[str]:
    """Write the forms of the report for which a file is given; return the paths."""
    paths = []
    for form, encode in forms.items():
        if path := options[form]:
            try:
                Path(path).write_text(encode(report), encoding="utf-8", newline="")
            except OSError as error:
                raise _unwritable(path, error) from error
            paths.append(path)
    return paths


def _unwritable(path: str, error: OSError) -> InvalidInput:
    return InvalidInput([FieldError(path, f"cannot be written: {error.strerror}")])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput([FieldError("--daily", "must be a day such as 2026-11-28")]) from None
