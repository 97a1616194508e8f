"""`manage.py sender`: make, list and revoke senders of alerts, and try an alert."""

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals import acts
from signals.alerts.mapping import presets
from signals.alerts.preview import preview, sentence
from signals.alerts.senders import create_sender, paste_of, revoke_sender, sender_named
from signals.alerts.terms import Terms, terms_of
from signals.clock import utc_now
from signals.management.command import ArgoCommand
from signals.models import Sender

SETTINGS = ("confidence", "dedup_window", "max_lag", "expected_every")
STANDARD_INPUT = "-"


class Command(ArgoCommand):
    help = (
        "Make a sender of alerts (its address is shown once), list the senders, revoke one, or "
        "show what Argo makes of an alert without storing it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--create", metavar="NAME", help="make a sender")
        what.add_argument("--list", action="store_true", help="list all senders")
        what.add_argument("--revoke", metavar="NAME", help="end the address of this sender")
        what.add_argument(
            "--test", metavar="FILE",
            help="show what Argo makes of the alert in this file (-: standard input)",
        )  # fmt: skip
        parser.add_argument(
            "--preset", choices=[*presets()],
            help="the mapping to begin with (with --create, or with --test without a sender)",
        )  # fmt: skip
        parser.add_argument("--sender", metavar="NAME", help="whose alert --test reads")
        parser.add_argument(
            "--mapping", type=Path, metavar="FILE", help="a JSON file with a mapping of your own"
        )
        parser.add_argument(
            "--symbol", action="append", default=[], dest="symbols", metavar="SENT=OWN",
            help="its spelling of a symbol and yours; give it once for each",
        )  # fmt: skip
        for name in SETTINGS:
            described = Sender._meta.get_field(name).help_text  # type: ignore[union-attr]
            parser.add_argument(f"--{name.replace('_', '-')}", type=float, help=str(described))
        for name in ("in_market_hours", "needs_certificate"):
            described = Sender._meta.get_field(name).help_text  # type: ignore[union-attr]
            parser.add_argument(f"--{name.replace('_', '-')}", action="store_true",
                                help=str(described))  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if options["create"]:
            self._create(options)
        elif options["revoke"]:
            ended = revoke_sender(options["revoke"], who=acts.COMMAND_LINE)
            self.answer(options, {"revoked": ended.name}, f"The sender {ended} is revoked.")
        elif options["test"]:
            self._test(options)
        else:
            found = [_described(each) for each in Sender.objects.order_by("name")]
            self.answer(options, {"senders": found}, _as_table(found))

    def _create(self, options: dict[str, Any]) -> None:
        if not options["preset"]:
            text = f"is needed: {', '.join(presets())}"
            raise InvalidInput([FieldError("--preset", text)])
        sender, token = create_sender(
            options["create"], options["preset"], who=acts.COMMAND_LINE, **_settings(options)
        )
        address, text = f"{_base()}/hooks/{token}", paste_of(sender)
        result = {"sender": sender.name, "url": address, "text": text}
        self.answer(
            options, result,
            f"{address}\nKeep it: it is the secret, and cannot be shown again. Put your own server "
            f"in place of {_base()} if the sender reaches it by another name.\n\n"
            f"Paste this into the sender's form:\n{text}",
        )  # fmt: skip

    def _test(self, options: dict[str, Any]) -> None:
        found = preview(_terms(options), _content(options["test"]), utc_now())
        told = [sentence(order) for order in found["orders"]]
        told += [f"{fault['field']}: {fault['message']}" for fault in found["faults"]]
        self.answer(options, found, "\n".join(told))
        if found["faults"]:
            self.fail("The alert cannot be read.")


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the sender that were given."""
    found = {name: options[name] for name in SETTINGS if options[name] is not None}
    found |= {name: options[name] for name in ("in_market_hours", "needs_certificate")}
    pairs = [each.partition("=") for each in options["symbols"]]
    found["symbols"] = {sent.strip(): own.strip() for sent, _, own in pairs}
    if options["mapping"]:
        found["mapping"] = _mapping(options["mapping"])
    return found


def _mapping(path: Path) -> Any:  # noqa: ANN401  # any JSON
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InvalidInput([FieldError("--mapping", f"{path} cannot be read: {error}")]) from error


def _terms(options: dict[str, Any]) -> Terms:
    if options["sender"]:
        return terms_of(sender_named(options["sender"]))
    made = Sender(name="preview", preset=options["preset"] or "tradingview", **_settings(options))
    made.pk = 0
    return terms_of(made)


def _content(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
    except OSError as error:
        raise InvalidInput([FieldError("--test", f"{name} cannot be read: {error}")]) from error


def _base() -> str:
    """Return the address of this server, as far as the settings know it."""
    host = next((each for each in settings.ALLOWED_HOSTS if each not in ("*",)), "localhost")
    is_local = host in ("localhost", "127.0.0.1", "[::1]")
    port = "" if settings.HTTPS and not is_local else f":{settings.WEB_PORT}"
    return f"{'https' if settings.HTTPS else 'http'}://{host}{port}"


def _described(sender: Sender) -> dict[str, Any]:
    return {
        "name": sender.name,
        "preset": sender.preset,
        "created": f"{sender.created_at:%Y-%m-%d}",
        "last_heard": f"{sender.heard_at:%Y-%m-%d %H:%M:%S}" if sender.heard_at else "",
        "late_since": f"{sender.late_since:%Y-%m-%d %H:%M:%S}" if sender.late_since else "",
        "revoked": f"{sender.revoked_at:%Y-%m-%d}" if sender.revoked_at else "",
    }


def _as_table(senders: list[dict[str, Any]]) -> str:
    heads = ["name", "preset", "created", "last heard", "late since", "revoked"]
    rows = [heads, *([*map(str, each.values())] for each in senders)]
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    return "\n".join("".join(map(str.ljust, row, widths)).rstrip() for row in rows)
