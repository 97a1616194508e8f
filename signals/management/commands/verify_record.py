"""`manage.py verify_record`: check a public record, or what somebody gave of one."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from signals.management.command import ArgoCommand, shown
from signals.record.formats.encoding import BadRecord
from signals.record.one_file import source
from signals.record.timestamps import StampVerifier, certificates
from signals.record.verifier.check import Asked
from signals.record.verifier.cli import (
    DESCRIPTION,
    WrongUsage,
    add_arguments,
    asked_for,
    follow_record,
    read_file,
    shown_of,
    verify,
)
from signals.record.verifier.report import Report

MOST_PEM_BYTES = 2**22


class Command(ArgoCommand):
    help = DESCRIPTION

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_arguments(parser, required=False)
        parser.add_argument(
            "--authorities",
            metavar="FILE",
            help="certificates (PEM) of the time stamp authorities that you trust",
        )
        parser.add_argument(
            "--one-file",
            action="store_true",
            help="print the verifier as one Python file that needs nothing else, and check nothing",
        )

    def run(self, options: dict[str, Any]) -> None:
        if options["one_file"]:
            self.stdout.write(source(), ending="")
            return
        report = _report(options)
        self.answer(options, report.as_json(), report.text())
        if report.faults:
            self.fail(f"{len(report.faults)} things are wrong: {report.faults[0]}")


def _report(options: dict[str, Any]) -> Report:
    """Return what is found. Raises CommandError on wrong usage."""
    if not options["what"] or not options["policy"]:
        raise CommandError("say what to check, and give --policy FILE", returncode=2)
    try:
        if options["follow"]:
            return follow_record(options["what"], _asked(options).policy, options["follow"])
        beside = shown_of(options["line"], options["outcome"])
        return verify(options["what"], _asked(options), beside)
    except WrongUsage as error:
        raise CommandError(shown(str(error)), returncode=2) from None


def _asked(options: dict[str, Any]) -> Asked:
    asked = asked_for(options["policy"], options["known"], options["delay"])
    if not options["authorities"]:
        return asked
    try:
        trusted = certificates(read_file(options["authorities"], MOST_PEM_BYTES))
    except BadRecord as error:
        raise WrongUsage(f"{options['authorities']}: {error}") from None
    return asked._replace(verify_stamp=StampVerifier(trusted).verify)
