"""What Argo's commands have in common: exit codes, `--json`, progress on a terminal."""

import json
import re
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from tqdm import tqdm

from argo.errors import ArgoError

NO_TABLE = re.compile(r"no such table|relation .* does not exist")
"""As SQLite and PostgreSQL tell of one; Django has no error of its own for it."""


class ArgoCommand(BaseCommand):
    """Ends with 0 on success, 1 where it found something wrong, 2 where it was used wrongly."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the result as JSON")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401  # from argparse
        try:
            self.run(options)
        except (ArgoError, DatabaseError) as error:
            raise _as_told(error) from error

    def run(self, options: dict[str, Any]) -> None:
        """Do it, and `answer`; `fail` where something is wrong."""
        raise NotImplementedError

    def answer(self, options: dict[str, Any], result: dict[str, Any], text: str) -> None:
        """Print the result: `result` for a program, `text` for a person."""
        whole = json.dumps(result, indent=2, cls=DjangoJSONEncoder) if options["json"] else text
        self.stdout.write(whole)

    def fail(self, message: str) -> NoReturn:
        """End with exit code 1: something was found wrong."""
        raise CommandError(message, returncode=1)


def _as_told(error: ArgoError | DatabaseError) -> Exception:
    """What a person reads in place of a traceback; a database's other errors stay what they are."""
    if NO_TABLE.search(str(error)):
        told = f"The database has not all of its tables ({error}): run manage.py migrate, or up."
        return CommandError(told, returncode=1)
    if isinstance(error, ArgoError):
        return CommandError(str(error), returncode=error.exit_code)
    return error


def progress(total: int | None, unit: str) -> "tqdm[Any]":
    """A progress bar on standard error, on a terminal, where it takes longer than a moment."""
    return tqdm(total=total, unit=unit, disable=None, file=sys.stderr, delay=1, unit_scale=True)
