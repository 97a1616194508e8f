"""Every way in: each takes the bytes of one signal, and returns what became of them."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from argo.errors import ArgoError
from signals import config
from signals.models import DeadLetter
from signals.retrieval.reading import read_batches
from signals.retrieval.selection import Selection
from signals.tracker import SignalTracker

MADE_ANEW = ("id", "created_at", "received_at", "stored_at", "origin")
"""What differs between two doors, or two runs."""


class Result(NamedTuple):
    """The faults, the stored rows, and how many dead letters there are."""

    faults: str
    rows: list[dict[str, Any]]
    dead: int


class Outcome(NamedTuple):
    """What a door answered to each text, the stored rows, and how many dead letters there are."""

    answers: list[Any]
    rows: list[dict[str, Any]]
    dead: int


class Doors:
    """The doors of one installation; each call begins with an empty ledger and journal."""

    def __init__(
        self, client: Client, settings: Settings, folder: Path, patch: pytest.MonkeyPatch
    ) -> None:
        self._client = client
        self.folder = folder
        self._data = settings.DATA_DIR = folder / "data"
        self._patch = patch

    def single(self, text: bytes) -> str:
        answer = self._client.post("/api/signals", text, content_type="application/json")
        return "" if answer.status_code == 202 else _faults(answer.json())

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

    def python(self, text: bytes) -> str:
        try:
            SignalTracker().log_signal(json.loads(text.decode("utf-8-sig")))
        except ArgoError as error:
            return str(error)
        return ""

    def ndjson_lines(self, body: bytes) -> list[str] | str:
        """Return the faults of each line, or why the body is refused as a whole."""
        answer = self._client.post("/api/signals/batch", body, content_type="application/x-ndjson")
        results = answer.json().get("results")
        return _faults(answer.json()) if results is None else [_faults(each) for each in results]

    def stdin_lines(self, body: bytes) -> dict[int, str] | str:
        """Return the faults of each refused line, or why the body is refused as a whole."""
        with self._patch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
            return self._refused("log_signal")

    def file_lines(self, body: bytes) -> dict[int, str] | str:
        path = self.folder / "signals.jsonl"
        path.write_bytes(body)
        refused = self._refused("import_signals", str(path))
        return refused.removeprefix(f"{path}: ") if isinstance(refused, str) else refused

    def through(self, door: str, *texts: bytes) -> Result:
        """Send these one after the other through a door; return the last answer, and what is
        stored then."""
        answers, rows, dead = self.all_through(door, *texts)
        return Result(answers[-1], rows, dead)

    def all_through(self, door: str, *texts: bytes) -> Outcome:
        """Send these one after the other through a door; return each answer, and what is stored
        then."""
        self._begin_anew()
        answers = []
        with transaction.atomic():
            for text in texts:
                answers.append(getattr(self, door)(text))
                config.flusher().flush()
            rows = [row for batch in read_batches(Selection()) for row in batch]
            dead = DeadLetter.objects.count()
            transaction.set_rollback(True)
        kept = [{name: row[name] for name in row if name not in MADE_ANEW} for row in rows]
        return Outcome(answers, kept, dead)

    def _begin_anew(self) -> None:
        config.journal().close()
        shutil.rmtree(self._data, ignore_errors=True)
        config.journal.cache_clear()

    def _batch(self, body: bytes, kind: str) -> str:
        answer = self._client.post("/api/signals/batch", body, content_type=kind).json()
        return _faults(answer["results"][0] if "results" in answer else answer)

    def _command(self, *arguments: str) -> str:
        refused = self._refused(*arguments)
        return refused if isinstance(refused, str) else next(iter(refused.values()), "")

    def _refused(self, *arguments: str) -> dict[int, str] | str:
        """Return the faults of each line that a command refuses, or its error."""
        out = io.StringIO()
        try:
            call_command(*arguments, "--json", stdout=out)
        except CommandError as error:
            if not out.getvalue():
                return str(error)
        return {each["line"]: each["error"] for each in json.loads(out.getvalue())["refused"]}


ALL: tuple[str, ...] = ("single", "array", "ndjson", "argument", "stdin", "file")


def _faults(answer: dict[str, Any]) -> str:
    """Return the faults of a refusal, or what else it says."""
    errors = answer.get("errors", ())
    return "; ".join(f"{error['field']}: {error['message']}" for error in errors) or str(
        answer.get("detail", "")
    )
