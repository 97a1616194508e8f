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

OWN_CHECKS = "argo"
"""The tag of the system checks of Argo's own apps."""
COMMANDS_OF_A_TERMINAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, except tab and newline."""
SENTENCES = (
    (
        re.compile(
            r"connection slots are reserved|too many (clients|connections)|no more connections"
        ),
        (
            "The database has no connection left ({error}), and nothing was changed by the last "
            "step: end programs that keep connections, lower DATABASE_POOL_SIZE or increase the "
            "server's max_connections; a pooler such as pgbouncer also helps."
        ),
    ),
    (
        re.compile(r"no such table|relation .* does not exist"),
        "The database lacks tables ({error}): run manage.py migrate or manage.py up.",
    ),
    (
        re.compile(r"database (table )?is locked|lock timeout|deadlock detected|could not obtain"),
        (
            "The database is in use by another process ({error}), and nothing was changed by the "
            "last step: run the command again in a moment."
        ),
    ),
    (
        re.compile(
            r"connection (to server|failed|refused|timeout|is lost)|server closed the connection"
            r"|couldn't get a connection|unable to open database file|terminating connection"
            r"|the connection is (closed|lost)|database system is (starting|shutting|in recovery)"
        ),
        "The database does not answer ({error}): see that it runs, and check DATABASE_URL.",
    ),
    (
        re.compile(r"connections of this process are in use"),
        "{error}",  # it says what to do
    ),
    (
        re.compile(r"readonly database|read-only transaction"),
        "The database cannot be written ({error}): see who owns the data folder and its files.",
    ),
    (
        re.compile(r"disk is full|disk I/O error|No space left|could not extend file"),
        (
            "The disk of the database is full or fails ({error}), and nothing was changed by the "
            "last step: free some space, then run the command again."
        ),
    ),
    (
        re.compile(r"malformed|not a database"),
        (
            "The database file is damaged ({error}): restore a backup, or make it again from the "
            "journal with rebuild_signals --into."
        ),
    ),
)
"""The messages of SQLite and PostgreSQL that no traceback explains, and what to do. Django has no
error classes for them."""


class ArgoCommand(BaseCommand):
    """Exits with 0 on success, 1 if it found something wrong, 2 on wrong usage.

    It runs Argo's own checks first, not Django's of models and URLs, which are a matter of the code
    and would load every page: `manage.py check` runs all.
    """

    requires_system_checks: tuple[str, ...] = (OWN_CHECKS,)

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


def sentence_of(error: Exception) -> str | None:
    """Return what to do about a database that lacks tables, is locked, does not answer or cannot be
    written, also if that is the cause of the error; None for any other error."""
    if not (isinstance(error, DatabaseError) or isinstance(error.__cause__, DatabaseError)):
        return None
    found = (text for pattern, text in SENTENCES if pattern.search(str(error)))
    text = next(found, None)
    return text and text.format(error=shown(" ".join(str(error).split())))


def _for_people(error: ArgoError | DatabaseError) -> Exception:
    """Return an error that is printed without a traceback; unknown database errors stay as is.

    A database that is locked or does not answer is no fault of Argo's, so no traceback is of use.
    """
    if text := sentence_of(error):
        return CommandError(text, returncode=1)
    if isinstance(error, ArgoError):
        return CommandError(shown(str(error)), returncode=error.exit_code)
    return error


def progress(total: int | None, unit: str) -> "tqdm[Any]":
    """Return a progress bar on standard error; it shows on a terminal, after one second."""
    return tqdm(total=total, unit=unit, disable=None, file=sys.stderr, delay=1, unit_scale=True)
