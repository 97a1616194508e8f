"""`python tests/execution/crash/replayer.py N ...` runs `replay --execute ...` and kills itself.

It does so just before its Nth statement that writes.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import django
from django.core.management import call_command
from django.db import connection


def main() -> None:
    """Count the writing statements: a replay runs some thousands, always the same ones."""
    last, *arguments = sys.argv[1:]
    written = count(1)

    def deadly(execute: Callable[..., Any], sql: str, *more: Any) -> Any:  # noqa: ANN401
        if sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE")) and next(written) == int(last):
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, *more)

    with connection.execute_wrapper(deadly):
        call_command("replay", "--execute", *arguments)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "argo.settings"
    django.setup()
    main()
