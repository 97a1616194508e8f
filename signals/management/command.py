"""The base of Argo's commands: exit codes, `--json`, and progress on a terminal."""

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
"""The messages of SQLite and PostgreSQL; Django has no error class for it."""
LOCKED = re.compile(r"database (table )?is locked|lock timeout|deadlock detected|could not obtain")
"""The messages of a database in which another process holds what this one needs."""
COMMANDS_OF_A_TERMINAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, except tab and newline."""
NO_ANSWER = re.compile(
    r"connection (to server|failed|refused|timeout|is lost)|server closed the connection"
    r"|couldn't get a connection|unable to open database file"
)
"""The messages of a database that cannot be reached."""


class ArgoCommand(BaseCommand):
    """Exits with 0 on success, 1 if it found something wrong, 2 on wrong usage."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401  # from argparse
        try:
            self.run(options)
        except (ArgoError, DatabaseError) as error:
            raise _for_people(error) from error

    def run(self, options: dict[str, Any]) -> None:
        """Do the work and call `answer`; call `fail` if something is wrong."""
        raise NotImplementedError

    def answer(self, options: dict[str, Any], result: dict[str, Any], text: str) -> None:
        """Print the result: `result` for a program, `text` for a person."""
        if options["json"]:
            text = json.dumps(result, indent=2, cls=DjangoJSONEncoder)
        self.stdout.write(shown(text))

    def fail(self, message: str) -> NoReturn:
        """End with exit code 1, because something wrong was found."""
        raise CommandError(shown(message), returncode=1)


def shown(text: str) -> str:
    """Return text whose parts may come from outside, such as a reason or a broker's answer, so that
    a terminal obeys nothing in it."""
    return COMMANDS_OF_A_TERMINAL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _for_people(error: ArgoError | DatabaseError) -> Exception:
    """Return an error that is printed without a traceback; unknown database errors stay as is.

    A database that is locked or does not answer is no fault of Argo's, so no traceback is of use.
    """
    if NO_TABLE.search(str(error)):
        text = f"The database lacks tables ({error}): run manage.py migrate or manage.py up."
        return CommandError(text, returncode=1)
    if LOCKED.search(str(error)):
        text = (
            f"The database is in use by another process ({error}), and nothing was changed by the "
            "last step: run the command again in a moment."
        )
        return CommandError(text, returncode=1)
    if isinstance(error, ArgoError):
        return CommandError(shown(str(error)), returncode=error.exit_code)
    if NO_ANSWER.search(str(error)):
        text = f"The database does not answer ({error}): see that it runs, and check DATABASE_URL."
        return CommandError(text, returncode=1)
    return error


def progress(total: int | None, unit: str) -> "tqdm[Any]":
    """Return a progress bar on standard error; it shows on a terminal, after one second."""
    return tqdm(total=total, unit=unit, disable=None, file=sys.stderr, delay=1, unit_scale=True)
