"""The messages of `up` to the person who started it."""

import shlex
import sys
from pathlib import Path

from django.conf import settings

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # a client cannot connect to these


def local_host() -> str:
    """Return the address at which this machine reaches the web server."""
    return LOOPBACK.get(settings.WEB_HOST, settings.WEB_HOST)


def base_url() -> str:
    """Return the URL at which a browser on this machine reaches the web server."""
    host = local_host()
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.WEB_PORT}"


def command(line: str) -> str:
    """Return a `manage.py` command line that works in a shell in the current folder."""
    parts = [_short(Path(sys.executable)), _short(settings.BASE_DIR / "manage.py"), line]
    if settings.DATA_DIR != settings.BASE_DIR / "data":
        parts.insert(0, f"ARGO_DATA_DIR={shlex.quote(str(settings.DATA_DIR))}")
    return " ".join(parts)


def first_admin(name: str, password: str) -> str:
    """Return the first login; the password is not shown again."""
    return (
        f"Created the admin user. Name: {name}  Password: {password}\n"
        "The password is not shown again. To set another, run: "
        f"{command(f'changepassword {name}')}"
    )


def ready(*, has_web: bool = True) -> str:
    """Return the addresses of Argo's pages, if this machine has the web server."""
    url = base_url()
    pages = (
        f"  Dashboard {url}/\n"
        f"  Manual    {url}/docs/\n"
        f"  API docs  {url}/api/docs\n"
        f"  Health    {url}/api/health\n"
    )
    return (
        "Argo is ready. Ctrl-C shuts everything down cleanly.\n"
        f"{pages if has_web else ''}"
        f"  Logs      {_short(logs_folder())}/ has every line of each process; here are only the "
        "warnings and errors"
    )


def logs_folder() -> Path:
    """Return the folder with a log file for each process."""
    folder: Path = settings.DATA_DIR / "logs"
    return folder


def _short(path: Path) -> str:
    inside = path.is_relative_to(Path.cwd())
    return shlex.quote(str(path.relative_to(Path.cwd()) if inside else path))
