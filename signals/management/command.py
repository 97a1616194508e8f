"""What Argo's commands have in common: exit codes, `--json`, progress on a terminal."""

import json
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from argo.errors import ArgoError


class ArgoCommand(BaseCommand):
    """Ends with 0 on success, 1 where it found something wrong, 2 where it was used wrongly."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the result as JSON")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401  # from argparse
        try:
            self.run(options)
        except ArgoError as error:
            raise CommandError(str(error), returncode=error.exit_code) from error

    def run(self, options: dict[str, Any]) -> None:
        """Do it, and `answer`; `fail` where something is wrong."""
        raise NotImplementedError

    def answer(self, options: dict[str, Any], result: dict[str, Any], text: str) -> None:
        """Print the result: `result` for a program, `text` for a person."""
        self.stdout.write(json.dumps(result, indent=2) if options["json"] else text)

    def fail(self, message: str) -> NoReturn:
        """End with exit code 1: something was found wrong."""
        raise CommandError(message, returncode=1)


def progress(total: int | None, unit: str) -> "tqdm[Any]":
    """A progress bar on standard error, on a terminal, where it takes longer than a moment."""
    return tqdm(total=total, unit=unit, disable=None, file=sys.stderr, delay=1, unit_scale=True)
