"""A second, small Argo that plays Alpine in the demo, in a data folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.db import connections

from argo.secret import load_or_make_secret
from argo.up.child import Spec
from argo.up.children import ALPINE
from argo.up.port import next_free
from argo.up.prepare import NotInOrder
from sync.models import OPEN, Delivery

NAME = "alpine"
HOST = "127.0.0.1"
KEY = "demo.key"
"""The file with the key to it; where it is, a demo has run before."""
DEMOS = "replay"
"""The origin of the demo's signals."""
PATIENCE = 90.0
"""Seconds; it ends processes of its own in order."""
MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))


@dataclass(frozen=True)
class Receiver:
    """An installation in `folder`, whose web server listens on `port`."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @cached_property
    def key(self) -> str:
        """A key to its API, made the first time. Raises NotInOrder."""
        return load_or_make_secret(self.folder / KEY, self._make_key)

    @property
    def environment(self) -> dict[str, str]:
        """Its settings; what is empty is Argo's default, whatever this installation has."""
        inherited = (
            "DATABASE_URL", "CELERY_BROKER_URL", "ALPINE_ENDPOINT", "ALPINE_API_KEY",
            "ARGO_HTTPS", "ARGO_SECRET_KEY",
        )  # fmt: skip
        own = {
            "ARGO_DATA_DIR": str(self.folder),
            "ARGO_ALLOWED_HOSTS": ",".join([HOST, *settings.ALLOWED_HOSTS]),
            "ARGO_WEB_HOST": HOST,
            "ARGO_WEB_PORT": str(self.port),
            "ARGO_WEB_THREADS": "2",
        }
        return dict.fromkeys(inherited, "") | own

    def spec(self) -> Spec:
        """All of it, as one child."""
        return Spec(NAME, (*MANAGE, "up"), ALPINE, PATIENCE, environment=self.environment)

    def reached_by(self, spec: Spec) -> Spec:
        """The same process, to which this is Alpine."""
        address = {"ALPINE_ENDPOINT": f"{self.url}/api/signals", "ALPINE_API_KEY": self.key}
        return replace(spec, environment={**spec.environment, **address})

    def _make_key(self) -> str:
        self._manage("migrate", "--verbosity", "0")
        return self._manage("api_key", "--create", "demo").split()[0]

    def _manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [*MANAGE, *arguments],
            env={**os.environ, **self.environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise NotInOrder(f"The demo's Alpine cannot be made in {self.folder}: {done.stderr}")
        return done.stdout


def receiver() -> Receiver:
    """The demo's Alpine for this installation.

    Raises:
        NotInOrder: signals that are for the real Alpine might go to this one.
    """
    folder = settings.DATA_DIR / NAME
    if settings.ALPINE_API_KEY:
        raise NotInOrder(
            "ALPINE_API_KEY is set, and the demo plays Alpine itself. To see it, start it with "
            "ALPINE_API_KEY= and a folder of its own, such as ARGO_DATA_DIR=demo."
        )
    if _is_used_for_more((folder / KEY).exists()):
        raise NotInOrder(
            f"{settings.DATA_DIR} holds signals that are not the demo's, and it would send them "
            "to an Alpine of its own. Give it another folder, such as ARGO_DATA_DIR=demo."
        )
    folder.mkdir(exist_ok=True)
    return Receiver(folder, next_free(HOST, settings.WEB_PORT))


def _is_used_for_more(has_run_before: bool) -> bool:
    """Whether deliveries are here that no demo queued, or that an Alpine has which is gone."""
    try:
        if not has_run_before:
            return Delivery.objects.exists()
        return Delivery.objects.filter(OPEN).exclude(signal__context__origin=DEMOS).exists()
    finally:
        connections.close_all()
