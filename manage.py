#!/usr/bin/env python3
"""Argo's command line.

`python3 manage.py check_python` says if this Python can run Argo; it needs nothing installed.
Python 3.6 and newer must be able to read this file, so that an old one shows that message.
"""

import sys

OLDEST, TOO_NEW = (3, 11), (3, 14)
"""Argo runs on OLDEST and newer, up to but not including TOO_NEW; as pyproject.toml says."""
UNSUPPORTED = 2
"""The exit code on any other Python."""


def check_python() -> None:
    """End with a clear message if this Python cannot run Argo."""
    if OLDEST <= sys.version_info[:2] < TOO_NEW:
        return
    sys.stderr.write(
        "Argo needs Python 3.11, 3.12 or 3.13; {} is Python {}.{}.\n"
        "Install one of those, then start again with its name: for example python3.12 in place of "
        "python3.\n".format(sys.executable, *sys.version_info)
    )
    raise SystemExit(UNSUPPORTED)


def main() -> None:
    """Run the command that the arguments name."""
    if sys.argv[1:] == ["check_python"]:
        return
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "argo.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            f"{error}. Install what Argo needs first: pip install -r requirements.txt"
        ) from error
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        raise SystemExit(f"Argo cannot start: {error}") from error
    except DatabaseError as error:  # Django's own commands have no sentence for it
        from signals.management.command import sentence_of

        text = sentence_of(error)
        if text is None:
            raise
        raise SystemExit(text) from error


if __name__ == "__main__":
    check_python()
    main()
