"""`manage.py api_key`: make, list and revoke API keys."""

from typing import Any

from django.core.management.base import CommandParser

from signals.clock import utc_now
from signals.keys import SCOPES, create_key, revoke, scopes_of
from signals.management.command import ArgoCommand
from signals.models import ApiKey

DEFAULT = ("read", "write")


class Command(ArgoCommand):
    help = "Make an API key (shown once), list the keys, or revoke one."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--create", metavar="NAME", help="make a key for this user or system")
        what.add_argument("--list", action="store_true", help="list all keys")
        what.add_argument("--revoke", metavar="PREFIX", help="revoke the key with this prefix")
        parser.add_argument(
            "--scope", "--scopes", action="append", dest="scopes", metavar="SCOPE",
            help=f"what the key may do: {', '.join(SCOPES)}. Give it once for each scope "
            f"(default: {' and '.join(DEFAULT)})",
        )  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if options["create"]:
            given = ",".join(options["scopes"] or DEFAULT)
            key = create_key(options["create"], [scope.strip() for scope in given.split(",")])
            self.answer(options, {"key": key}, f"{key}\nKeep it: it cannot be shown again.")
        elif options["revoke"]:
            ended = revoke(options["revoke"], utc_now())
            self.answer(options, {"revoked": ended.prefix}, f"{ended} is revoked.")
        else:
            keys = [_described(key) for key in ApiKey.objects.order_by("created_at")]
            self.answer(options, {"keys": keys}, _as_table(keys))


def _described(key: ApiKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "scopes": ",".join(scopes_of(key)),
        "created": f"{key.created_at:%Y-%m-%d}",
        "revoked": f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else "",
    }


def _as_table(keys: list[dict[str, Any]]) -> str:
    rows = [
        ["prefix", "name", "scopes", "created", "revoked"],
        *(list(key.values()) for key in keys),
    ]
    widths = [max(12, *map(len, column)) + 2 for column in zip(*rows, strict=True)]
    return "\n".join("".join(map(str.ljust, row, widths)).rstrip() for row in rows)
