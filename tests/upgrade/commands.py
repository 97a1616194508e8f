"""`python -m tests.upgrade.commands`: run commands of `manage.py` in turn, in one process.

Reads a JSON list of argument lists from standard input; `["visit"]` looks at every page. Prints, as
the last line, a JSON list: the exit code, the output and the errors of each.
"""

import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import django
from django.core.management import ManagementUtility

from tests.upgrade import visitor


def main() -> None:
    """Starting a process takes longer than most of the commands."""
    django.setup()
    print(json.dumps([run(arguments) for arguments in json.load(sys.stdin)]))


def run(arguments: list[str]) -> tuple[int, str, str]:
    """Exit code, output and errors of one command."""
    code, output, errors = 0, StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            if arguments == ["visit"]:
                visitor.visit()
            else:
                ManagementUtility(["manage.py", *arguments]).execute()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, output.getvalue(), errors.getvalue()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "argo.settings")
    main()
