"""Every way in: each takes the bytes of one signal, and returns what became of them."""

import io
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from signals import config
from signals.models import DeadLetter
from signals.retrieval.reading import read_batches
from signals.retrieval.selection import Selection

MADE_ANEW = ("id", "created_at", "received_at", "origin")
"""What differs between two doors, or two runs."""


class Result(NamedTuple):
    """The faults, the stored rows, and how many dead letters there are."""

    faults: str
    rows: list[dict[str, Any]]
    dead: int


class Doors:
    """The doors of one installation; each call begins with an empty ledger and journal."""

    def __init__(
        self, client: Client, settings: Settings, folder: Path, patch: pytest.MonkeyPatch
    ) -> None:
        self._client = client
        self._settings = settings
        self.folder = folder
        self._patch = patch
        self._count = 0

    def single(self, text: bytes) -> str:
        answer = self._client.post("/api/signals", text, content_type="application/json")
        return "" if answer.status_code == 202 else _faults(answer.json()["errors"])

    def array(self, text: bytes) -> str:
        mark = text.startswith(b"\xef\xbb\xbf")
        body = text[:3] + b"[" + text[3:] + b"]" if mark else b"[" + text + b"]"
        return self._batch(body, "application/json")

    def ndjson(self, text: bytes) -> str:
        return self._batch(text, "application/x-ndjson")

    def argument(self, text: bytes) -> str:
        return self._command("log_signal", text.decode(errors="surrogateescape"))

    def stdin(self, text: bytes) -> str:
        with self._patch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
            return self._command("log_signal")

    def file(self, text: bytes) -> str:
        path = self.folder / "signals.jsonl"
        path.write_bytes(text)
        return self._command("import_signals", str(path)).removeprefix(f"{path}: ")

    def through(self, door: str, *texts: bytes) -> Result:
        """Send these one after the other through a door; return the last answer, and what is
        stored then."""
        self._begin_anew()
        with transaction.atomic():
            for text in texts:
                faults = getattr(self, door)(text)
                config.flusher().flush()
            rows = [row for batch in read_batches(Selection()) for row in batch]
            dead = DeadLetter.objects.count()
            transaction.set_rollback(True)
        kept = [{name: row[name] for name in row if name not in MADE_ANEW} for row in rows]
        return Result(faults, kept, dead)

    def _begin_anew(self) -> None:
        self._count += 1
        config.journal().close()
        self._settings.DATA_DIR = self.folder / str(self._count)
        config.journal.cache_clear()

    def _batch(self, body: bytes, kind: str) -> str:
        answer = self._client.post("/api/signals/batch", body, content_type=kind).json()
        if "results" not in answer:
            return _faults(answer["errors"])
        return _faults(answer["results"][0].get("errors", ()))

    def _command(self, *arguments: str) -> str:
        out = io.StringIO()
        try:
            call_command(*arguments, "--json", stdout=out)
        except CommandError as error:
            if not out.getvalue():
                return str(error)
        refused = json.loads(out.getvalue())["refused"]
        return refused[0]["error"] if refused else ""


ALL: tuple[str, ...] = ("single", "array", "ndjson", "argument", "stdin", "file")


def _faults(errors: list[dict[str, str]]) -> str:
    return "; ".join(f"{error['field']}: {error['message']}" for error in errors)
