"""`manage.py sync_signals`: send due deliveries, show the state, send dead deliveries again."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from threading import Event
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.clock import utc_now
from signals.management.command import ArgoCommand, progress
from signals.timestamps import parse_utc
from sync.alpine import AlpineSyncService
from sync.outbox import queue_missing
from sync.recovery import resend_missing, retry_dead
from sync.retry import SyncError
from sync.status import as_text, status
from sync.worker import deliverer

MAX_COMPARED = 1_000_000


class Command(ArgoCommand):
    help = (
        "Send the due deliveries to Alpine now; usually the worker does this by itself. "
        "Exits with 1 if some became dead letters."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--status", action="store_true", help="only show the state")
        what.add_argument("--retry-dead", action="store_true", help="queue dead deliveries again")
        what.add_argument(
            "--reconcile", type=_count, metavar="N",
            help="ask Alpine which of the last N delivered signals it has; queue the missing ones",
        )  # fmt: skip
        what.add_argument(
            "--queue-missing", action="store_true",
            help="queue all signals that have no delivery, such as imported signals or those of "
            "a rebuilt database",
        )  # fmt: skip
        parser.add_argument(
            "--id", action="append", dest="ids", metavar="SIGNAL_ID",
            help="with --retry-dead: only this signal (may be given several times)",
        )  # fmt: skip
        parser.add_argument(
            "--since", metavar="TIME",
            help="with --retry-dead: only deliveries that died since then, for example "
            "2025-01-15T10:30:00Z",
        )  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if (options["ids"] or options["since"]) and not options["retry_dead"]:
            raise InvalidInput([FieldError("--id, --since", "work only with --retry-dead")])
        if options["status"]:
            found = status(utc_now())
            self.answer(options, found, as_text(found))
        elif options["retry_dead"]:
            self._retry_dead(options)
        elif options["queue_missing"]:
            self._queue_missing(options)
        elif options["reconcile"] is not None:
            self._reconcile(options)
        else:
            self._send(options)

    def _retry_dead(self, options: dict[str, Any]) -> None:
        since = _parse_since(options["since"])
        queued = retry_dead(utc_now(), signal_ids=options["ids"], since=since)
        self.answer(options, {"queued": queued}, f"{queued} deliveries queued again")

    def _queue_missing(self, options: dict[str, Any]) -> None:
        queued = 0
        with progress(None, " signals") as bar:
            for count in queue_missing(utc_now()):
                queued += count
                bar.update(count)
        self.answer(options, {"queued": queued}, f"{queued} signals queued")

    def _reconcile(self, options: dict[str, Any]) -> None:
        _require_key()
        try:
            service = AlpineSyncService.from_settings()
            found = resend_missing(service, options["reconcile"], utc_now())
        except SyncError as error:
            self.fail(f"Nothing was queued: {error}")
        text = f"Alpine has {found.there} of {found.asked}; {found.queued} queued again"
        self.answer(options, asdict(found), text)

    def _send(self, options: dict[str, Any]) -> None:
        _require_key()
        with _stopped_by_signals() as stop:
            counts = deliverer(stop).run()
        text = (
            f"{counts.delivered} delivered, {counts.postponed} wait for another try, "
            f"{counts.dead} dead, {counts.released} not tried"
        )
        self.answer(options, asdict(counts), text)
        if counts.dead:
            self.fail(f"{counts.dead} deliveries are dead: see the admin site, or --retry-dead")


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """Yield an event that the first Ctrl-C or SIGTERM sets, so that requests under way finish.

    The second one ends the program at once.
    """
    stop = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_key() -> None:
    if not settings.ALPINE_API_KEY:
        raise InvalidInput([FieldError("ALPINE_API_KEY", "is not set, so sync is off")])


def _count(text: str) -> int:
    if not 1 <= (number := int(text)) <= MAX_COMPARED:
        raise ValueError(text)
    return number


def _parse_since(text: str | None) -> datetime | None:
    try:
        return parse_utc(text) if text else None
    except ValueError as error:
        raise InvalidInput([FieldError("--since", str(error))]) from None
