"""`manage.py report`: what signals were worth, how sure that is, and what it assumes."""

from typing import Any

from django.core.management.base import CommandParser

from argo.reports.report import make_report
from argo.reports.text import report_text
from execution.management.selection import add_filters, selection_of
from signals.clock import utc_now
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Report what the selected signals were worth: outcomes, the account's equity, whether the "
        "confidence is true, groups, and every assumption. Without --origin it is about the origin "
        "that most of the signals have, and says so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_filters(parser)

    def run(self, options: dict[str, Any]) -> None:
        report = make_report(selection_of(options), utc_now())
        self.answer(options, report, report_text(report))
