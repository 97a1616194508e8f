"""`manage.py record`: how the public record stands, and what a person decides about it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.module_loading import import_string

from argo.errors import FieldError, InvalidInput
from signals.clock import utc_now
from signals.management.command import ArgoCommand
from signals.record.log import service, successor
from signals.record.log.copying import copy_record
from signals.record.log.disk import Disk
from signals.record.log.opening import Opening
from signals.record.log.publishing import Publisher
from signals.record.log.status import stamp_lines, status_of, witness_lines


class Command(ArgoCommand):
    help = (
        "Show how the public record stands, with the verifier key; copy it to a folder that any "
        "static host can serve; change its key; or decide what nobody but you can."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--status", action="store_true", help="show how the record stands (the default)"
        )
        what.add_argument(
            "--publish",
            type=Path,
            metavar="DIR",
            help="bring a copy of what is published up to date",
        )
        what.add_argument(
            "--witness-now", action="store_true",
            help="send the last checkpoint to all witnesses, at most once a minute",
        )  # fmt: skip
        what.add_argument(
            "--rotate-key", action="store_true",
            help="change to a new key; the checkpoint with its entry is signed by both",
        )  # fmt: skip
        what.add_argument(
            "--claim", action="store_true",
            help="sign in this data folder from now on; be sure that no other one does",
        )  # fmt: skip
        what.add_argument(
            "--resume", action="store_true",
            help="data/record is lost, and nobody has seen a larger checkpoint than the database",
        )  # fmt: skip
        what.add_argument(
            "--begin-anew", action="store_true",
            help="end the record of another origin, and begin the one of RECORD_ORIGIN",
        )  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if options["publish"] is not None:
            self._publish(options)
        elif options["witness_now"]:
            self._witness(options)
        elif options["rotate_key"]:
            self._rotate(options)
        elif options["claim"]:
            successor.claim(_opening(), utc_now())
            self._goes_on(options, "This data folder signs the record from now on.")
        elif options["resume"]:
            size = successor.resume(_opening(), utc_now())
            self._goes_on(options, f"The record goes on from its checkpoint of {size} entries.")
        elif options["begin_anew"]:
            successor.begin_anew(_opening(), utc_now())
            self._goes_on(options, f"The record of {settings.RECORD_ORIGIN} has begun.")
        else:
            self._status(options)

    def _status(self, options: dict[str, Any]) -> None:
        opening = service.opening() if settings.RECORD_ORIGIN else None
        status = status_of(opening, Disk(settings.DATA_DIR))
        others: dict[str, Any] = import_string(settings.RECORD_STANDING)()
        shown = asdict(status) | {"is_public": settings.RECORD_PUBLIC} | others
        lines = [status.text(), *witness_lines(others["witnesses"]), *stamp_lines(others["stamps"])]
        self.answer(options, shown, "\n".join(lines))
        if status.stopped or status.refused:
            self.fail(status.stopped or status.refused)

    def _publish(self, options: dict[str, Any]) -> None:
        size = copy_record(Disk(settings.DATA_DIR), options["publish"])
        text = f"{options['publish']} has the record with {size} entries."
        self.answer(options, {"size": size}, text)

    def _witness(self, options: dict[str, Any]) -> None:
        """Ask the witnesses; `sync` does it, which this app does not know."""
        _publisher().publish()
        found: dict[str, Any] = import_string(settings.RECORD_WITNESS_NOW)()
        lines = [f"{name}: {state}" for name, state in found["witnesses"].items()]
        lines.append(f"{found['cosigned']} cosigned now; {found['needed']} are needed.")
        self.answer(options, found, "\n".join(lines))
        if found["failed"]:
            self.fail(f"These witnesses do not cosign: {', '.join(found['failed'])}.")

    def _rotate(self, options: dict[str, Any]) -> None:
        publisher = _publisher()
        publisher.opening.check()
        old, new = publisher.opening.keys.current(), publisher.opening.keys.make_next()
        size = publisher.publish()
        result = {"before": str(old.key), "verifier_key": str(new.key), "size": size}
        when = "is signed" if size else "will be signed by Argo, which runs, within seconds"
        self.answer(
            options,
            result,
            f"The record {when} with a new key. Publish it where you published the old one:\n"
            f"{new.key}",
        )

    def _goes_on(self, options: dict[str, Any], text: str) -> None:
        size = _publisher().publish()
        self.answer(options, {"size": size}, text)


def _publisher() -> Publisher:
    publisher = service.publisher()
    if publisher is None:
        message = "is not set on this machine, so it does not sign"
        raise InvalidInput([FieldError("RECORD_ORIGIN", message)])
    return publisher


def _opening() -> Opening:
    return _publisher().opening
