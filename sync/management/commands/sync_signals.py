"""`manage.py sync_signals`: send what is due, see how it stands, send dead deliveries again."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
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
from sync.dead import revive
from sync.errors import SyncError
from sync.outbox import queue_missing
from sync.recovery import reconcile
from sync.status import as_text, status
from sync.worker import deliverer

MOST_TO_RECONCILE = 1_000_000


class Command(ArgoCommand):
    help = (
        "Send the deliveries that are due to Alpine, now and here; the worker does it by itself. "
        "Ends with 1 where some became dead letters."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--status", action="store_true", help="only say how it stands")
        what.add_argument("--retry-dead", action="store_true", help="queue dead deliveries again")
        what.add_argument(
            "--reconcile", type=_count, metavar="N",
            help="ask Alpine which of the last N delivered signals it has; queue what it lacks",
        )  # fmt: skip
        what.add_argument(
            "--queue-missing", action="store_true",
            help="queue all signals that have no delivery: imported ones, those of a rebuilt "
            "database",
        )  # fmt: skip
        parser.add_argument(
            "--id", action="append", dest="ids", metavar="SIGNAL_ID",
            help="with --retry-dead: of this signal alone (may be given again)",
        )  # fmt: skip
        parser.add_argument(
            "--since", metavar="TIME",
            help="with --retry-dead: dead since then, as in 2025-01-15T10:30:00Z",
        )  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if (options["ids"] or options["since"]) and not options["retry_dead"]:
            raise InvalidInput([FieldError("--id, --since", "go with --retry-dead")])
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
        revived = revive(utc_now(), signal_ids=options["ids"], since=_moment(options["since"]))
        self.answer(options, {"queued": revived}, f"{revived} deliveries queued again")

    def _queue_missing(self, options: dict[str, Any]) -> None:
        queued = 0
        with progress(None, " signals") as bar:
            for count in queue_missing(utc_now()):
                queued += count
                bar.update(count)
        self.answer(options, {"queued": queued}, f"{queued} signals queued")

    def _reconcile(self, options: dict[str, Any]) -> None:
        _need_key()
        try:
            found = reconcile(AlpineSyncService.from_settings(), options["reconcile"], utc_now())
        except SyncError as error:
            self.fail(f"Nothing was queued: {error}")
        text = f"Alpine has {found.there} of {found.asked}; {found.queued} queued again"
        self.answer(options, asdict(found), text)

    def _send(self, options: dict[str, Any]) -> None:
        _need_key()
        with _stopping_in_peace() as stop:
            tally = deliverer(stop).run()
        text = (
            f"{tally.delivered} delivered, {tally.postponed} wait for another try, "
            f"{tally.dead} dead, {tally.released} not tried"
        )
        self.answer(options, asdict(tally), text)
        if tally.dead:
            self.fail(f"{tally.dead} deliveries are dead: see the admin site, or --retry-dead")


@contextmanager
def _stopping_in_peace() -> Iterator[Event]:
    """Set at the first Ctrl-C or SIGTERM: what is under way is finished. A second one ends it."""
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


def _need_key() -> None:
    if not settings.ALPINE_API_KEY:
        raise InvalidInput([FieldError("ALPINE_API_KEY", "is not set, so that sync is off")])


def _count(text: str) -> int:
    if not 1 <= (number := int(text)) <= MOST_TO_RECONCILE:
        raise ValueError(text)
    return number


def _moment(text: str | None) -> Any:  # noqa: ANN401
    try:
        return parse_utc(text) if text else None
    except ValueError as error:
        raise InvalidInput([FieldError("--since", str(error))]) from None
