"""`manage.py witness`: Argo as a witness of other logs."""

from typing import Any

from django.core.management.base import CommandParser

from signals.clock import utc_now
from signals.management.command import ArgoCommand
from signals.models import WatchedLog
from signals.witness.keys import make_key, signer
from signals.witness.logs import unwatch, watch, watched

NO_KEY = "This Argo is no witness yet: make it one with witness --create NAME."


class Command(ArgoCommand):
    help = (
        "Make this Argo a witness, and choose the logs whose checkpoints it cosigns. Others name "
        "the printed verifier key in their policies and settings."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--create", metavar="NAME", help=(
            "make the key of a witness with this name: its address without https://, such as "
            "argo.example/witness"
        ))  # fmt: skip
        what.add_argument("--add", metavar="KEY", help="watch the log with this verifier key")
        what.add_argument("--remove", metavar="KEY|ORIGIN",
                          help="trust this key no more, or watch this log no more")  # fmt: skip
        what.add_argument("--list", action="store_true",
                          help="show the witness's key and the watched logs")  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if options["create"] is not None:
            key = str(make_key(options["create"]).key)
            self.answer(options, {"key": key}, f"verifier key: {key}")
        elif options["add"] is not None:
            self._tell(options, watch(options["add"], now=utc_now()), "is watched")
        elif options["remove"] is not None:
            log = unwatch(options["remove"], now=utc_now())
            self._tell(options, log, "is watched with its other keys" if log.keys else "is no "
                       "longer watched; what was cosigned stays known")  # fmt: skip
        else:
            self._list(options)

    def _tell(self, options: dict[str, Any], log: WatchedLog, what: str) -> None:
        self.answer(options, _described(log), f"The log {log.origin} {what}.")

    def _list(self, options: dict[str, Any]) -> None:
        made, logs = signer(), watched()
        key = str(made.key) if made else None
        lines = [f"verifier key: {key}" if key else NO_KEY, *map(_line, logs)]
        result = {"key": key, "logs": list(map(_described, logs))}
        self.answer(options, result, "\n".join(lines if logs else [*lines, "No log is watched."]))


def _described(log: WatchedLog) -> dict[str, Any]:
    return {
        "origin": log.origin,
        "keys": log.keys.splitlines(),
        "size": log.size,
        "root": log.root,
        "cosigned_at": log.cosigned_at,
        "contradicted_at": log.contradicted_at,
        "address": f"{log.origin_sha256}/checkpoint",
    }


def _line(log: WatchedLog) -> str:
    cosigned = f"{log.cosigned_at:%Y-%m-%d %H:%M:%S}" if log.cosigned_at else "never"
    text = f"{log.origin}: size {log.size}, cosigned {cosigned}"
    if log.contradicted_at:
        text += f", TWO HISTORIES since {log.contradicted_at:%Y-%m-%d %H:%M:%S}"
    return "\n".join([text, *(f"    {key}" for key in log.keys.splitlines())])
