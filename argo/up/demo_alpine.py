"""The demo's Alpine: a second, small Argo with its own data folder."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.db import connection, connections

from argo.secret import load_or_make_secret
from argo.up.child import Spec
from argo.up.children import ALPINE
from argo.up.detail import Detail
from argo.up.port import next_free
from argo.up.prepare import CannotStart
from signals.files import make_folder
from signals.witness.keys import make_key, signer_in
from sync.models import OPEN, Delivery

NAME = "alpine"
HOST = "127.0.0.1"
KEY_FILE = "demo.key"
"""The file with the key to its API; it exists if a demo has run before."""
DEMO_ORIGIN = "replay"
"""The origin of the demo's signals."""
WITNESS = "alpine.demo/witness"
"""Its name as the witness of the demo's record."""
STOP_TIMEOUT = 90.0
"""Seconds: it stops its own processes one after the other."""
MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))


@dataclass(frozen=True)
class DemoAlpine:
    """An installation in `folder`, whose web server listens on `port`."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Return the URL of its web server."""
        return f"http://{HOST}:{self.port}"

    @cached_property
    def key(self) -> str:
        """Return a key to its API; create it the first time.

        Raises `CannotStart` if that fails.
        """
        return load_or_make_secret(self.folder / KEY_FILE, self._make_key)

    @property
    def witness_key(self) -> str:
        """Return its verifier key as a witness; create it the first time."""
        made = signer_in(self.folder) or make_key(WITNESS, self.folder)
        return str(made.key)

    @property
    def environment(self) -> dict[str, str]:
        """Return its settings. Those that it must not inherit are empty, which means default."""
        not_inherited = (
            "DATABASE_URL", "CELERY_BROKER_URL", "ALPINE_ENDPOINT", "ALPINE_API_KEY",
            "ARGO_HTTPS", "ARGO_SECRET_KEY", "NOTIFY_URLS", "RECORD_ORIGIN", "RECORD_PUBLIC",
            "RECORD_STRATEGIES", "RECORD_WITNESSES",
        )  # fmt: skip
        own = {
            "ARGO_DATA_DIR": str(self.folder),
            "ARGO_ALLOWED_HOSTS": ",".join([HOST, *settings.ALLOWED_HOSTS]),
            "ARGO_WEB_HOST": HOST,
            "ARGO_WEB_PORT": str(self.port),
            "ARGO_WEB_THREADS": "2",
            "REPORT_TIME": "off",
        }
        return dict.fromkeys(not_inherited, "") | own

    def spec(self, detail: Detail) -> Spec:
        """Return it as one child, which starts its own processes and keeps their logs."""
        option = "--verbose" if detail is Detail.ALL else "--nested"
        command = (*MANAGE, "up", option)
        return Spec(NAME, command, ALPINE, STOP_TIMEOUT, environment=self.environment)

    def as_alpine_of(self, spec: Spec) -> Spec:
        """Return the same process with settings that make it send to this Alpine."""
        address = {"ALPINE_ENDPOINT": f"{self.url}/api/signals", "ALPINE_API_KEY": self.key}
        return replace(spec, environment={**spec.environment, **address})

    def watch(self, log: str) -> None:
        """Let it be a witness of the log with this verifier key. Raises CannotStart."""
        self.key  # noqa: B018  # its database is there
        watched = json.loads(self._manage("witness", "--list", "--json"))["logs"]
        if not any(log in each["keys"] for each in watched):
            self._manage("witness", "--add", log)

    def _make_key(self) -> str:
        self._manage("migrate", "--verbosity", "0")
        return self._manage("api_key", "--create", "demo").split()[0]

    def _manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [*MANAGE, *arguments],
            env={**os.environ, **self.environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise CannotStart(
                f"The demo's Alpine cannot be created in {self.folder}: {done.stderr}"
            )
        return done.stdout


def demo_alpine() -> DemoAlpine:
    """Return the demo's Alpine for this installation.

    Raises:
        CannotStart: signals for the real Alpine might go to this one.
    """
    folder = settings.DATA_DIR / NAME
    if settings.ALPINE_API_KEY:
        raise CannotStart(
            "ALPINE_API_KEY is set, but the demo brings its own Alpine. Start it with an empty key "
            "and another folder: ALPINE_API_KEY= ARGO_DATA_DIR=demo."
        )
    if _has_other_deliveries((folder / KEY_FILE).exists()):
        raise CannotStart(
            f"{settings.DATA_DIR} holds signals that are not the demo's, and the demo would send "
            "them to its own Alpine. Use another folder, such as ARGO_DATA_DIR=demo."
        )
    make_folder(folder)
    return DemoAlpine(folder, next_free(HOST, settings.WEB_PORT))


def _has_other_deliveries(has_run_before: bool) -> bool:
    """Return whether there are deliveries that are not from this folder's demo."""
    try:
        if Delivery._meta.db_table not in connection.introspection.table_names():
            return False
        if not has_run_before:
            return Delivery.objects.exists()
        return Delivery.objects.filter(OPEN).exclude(signal__context__origin=DEMO_ORIGIN).exists()
    finally:
        connections.close_all()
