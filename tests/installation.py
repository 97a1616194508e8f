"""An Argo in its own data folder, used through its commands and files."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection, connect
from typing import Any

from signals.journal import Journal

ROOT = Path(__file__).resolve().parent.parent
PREFIXES = (
    "ARGO_", "SIGNAL_", "ALPINE_", "SYNC_", "MARKET_", "ALPACA_", "CALIBRATION", "MIN_CONFIDENCE",
    "PROP_FIRM", "AUTO_EXECUTE", "BROKER", "EXECUTION_", "MONITOR_", "RECONCILE_", "POSITION_",
    "SIZING", "RISK_", "PAPER_", "TRADING_", "NOTIFY_", "WEBHOOK_", "REPORT_", "DATABASE_URL",
    "CELERY_", "DJANGO_", "RECORD_",
)  # fmt: skip

run: Callable[..., "subprocess.CompletedProcess[str]"] = subprocess.run
"""Runs the commands; the test suite sets tests/warm.py's here."""


@dataclass(frozen=True)
class Installation:
    """`folder` is its ARGO_DATA_DIR; `settings` are further environment variables."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not _is_argos(name)}
        own = {
            "ARGO_DATA_DIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "argo.settings",
            "PYTHONPATH": str(ROOT),
        }
        return plain | own | self.settings

    def manage(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `manage.py` with these arguments to its end."""
        return self.run("manage.py", *arguments, stdin=stdin)

    def run(
        self, script: str, *arguments: str, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run this file of Python, a path in the project, to its end."""
        return run(
            [sys.executable, script, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:  # noqa: ANN401
        """Start `python` with these arguments; the test talks to it or kills it."""
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, text=True, **options
        )

    def connect(self) -> Connection:
        """Open the database as the seed's own scripts would."""
        return connect(self.folder / "signals.db", isolation_level=None)

    def query(self, sql: str, *parameters: object) -> list[Any]:
        connection = self.connect()
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "signals.log")


def _is_argos(name: str) -> bool:
    return name.startswith(PREFIXES)
