"""`manage.py report`: what signals were worth, how sure that is, and what it assumes."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from argo.reports.page import report_page
from argo.reports.report import make_report
from argo.reports.text import report_text
from execution.analysis.selection import DecidedSelection
from signals.clock import utc_now
from signals.management.command import ArgoCommand
from signals.management.filters import add_filters, filter_of


class Command(ArgoCommand):
    help = (
        "Report what the selected signals were worth: outcomes, the account's equity, whether the "
        "confidence is true, groups, and every assumption. Without --origin it is about the origin "
        "that most of the signals have, and says so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--html", metavar="FILE", help="write a page for people to this file")
        add_filters(parser, DecidedSelection)

    def run(self, options: dict[str, Any]) -> None:
        report = make_report(filter_of(options, DecidedSelection), utc_now())
        if options["html"]:
            _write(options["html"], report_page(report))
            self.answer(options, {"path": options["html"]}, f"The report is in {options['html']}")
            return
        self.answer(options, report, report_text(report))


def _write(path: str, page: str) -> None:
    try:
        Path(path).write_text(page, encoding="utf-8")
    except OSError as error:
        raise InvalidInput([FieldError(path, f"cannot be written: {error.strerror}")]) from error
