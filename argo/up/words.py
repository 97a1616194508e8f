"""What `up` says to the person who started it."""

import shlex
import sys
from pathlib import Path

from django.conf import settings

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # no address to go to


def local_host() -> str:
    """The address at which this machine finds the web server."""
    return EVERYWHERE.get(settings.WEB_HOST, settings.WEB_HOST)


def base_url() -> str:
    """Where a browser on this machine finds the web server."""
    host = local_host()
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.WEB_PORT}"


def command(line: str) -> str:
    """`manage.py` with these arguments, to be pasted into a shell in the current folder."""
    parts = [_short(Path(sys.executable)), _short(settings.BASE_DIR / "manage.py"), line]
    if settings.DATA_DIR != settings.BASE_DIR / "data":
        parts.insert(0, f"ARGO_DATA_DIR={shlex.quote(str(settings.DATA_DIR))}")
    return " ".join(parts)


def first_admin(name: str, password: str) -> str:
    """The login, which is shown this once."""
    return (
        f"Made the admin user. Name: {name}  Password: {password}\n"
        f"The password is shown this once. Another: {command(f'changepassword {name}')}"
    )


def ready() -> str:
    """Where things are."""
    url = base_url()
    return (
        "Argo is ready. Ctrl-C stops it.\n"
        f"  Admin     {url}/admin/\n"
        f"  Manual    {url}/docs/\n"
        f"  API docs  {url}/api/docs\n"
        f"  Health    {url}/api/health"
    )


def _short(path: Path) -> str:
    inside = path.is_relative_to(Path.cwd())
    return shlex.quote(str(path.relative_to(Path.cwd()) if inside else path))
