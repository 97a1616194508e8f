"""`manage.py doctor`: find out why signals are not stored, slow, or not sent to Alpine."""

from typing import Any

from django.core.management.base import CommandParser

from argo.doctor.examine import examine, repair
from argo.doctor.report import as_dict, as_text, counted
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Measure why signals are not stored, storing is slow, or sync fails, and say what to do. "
        "No signal is made. Exits with 1 if there is a problem; warnings do not count."
    )
    requires_system_checks = ()  # they are a part of the answer

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--fix",
            action="store_true",
            help="fix what is safe to fix: permissions of the data folder's files, missing indexes",
        )

    def run(self, options: dict[str, Any]) -> None:
        found = examine()
        if options["fix"]:
            found = examine(fixed=repair(found.repairs))
        self.answer(options, as_dict(found), as_text(found))
        if found.problem_count:
            self.fail(f"{counted(found.problem_count, 'problem')}: see above")
