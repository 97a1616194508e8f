"""`manage.py api_key`: make, list and revoke API keys."""

from typing import Any

from django.core.management.base import CommandParser

from signals.clock import utc_now
from signals.keys import SCOPES, create_key, revoke
from signals.management.command import ArgoCommand
from signals.models import ApiKey


class Command(ArgoCommand):
    help = "Make an API key (shown once), list the keys, or revoke one."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--create", metavar="NAME", help="make a key for this user or system")
        what.add_argument("--list", action="store_true", help="list all keys")
        what.add_argument("--revoke", metavar="PREFIX", help="revoke the key with this prefix")
        parser.add_argument(
            "--scopes", default=",".join(SCOPES), help="read, write, or both (default: both)"
        )

    def run(self, options: dict[str, Any]) -> None:
        if options["create"]:
            key = create_key(options["create"], options["scopes"].split(","))
            self.answer(options, {"key": key}, f"{key}\nKeep it: it cannot be shown again.")
        elif options["revoke"]:
            ended = revoke(options["revoke"], utc_now())
            self.answer(options, {"revoked": ended.prefix}, f"{ended} is revoked.")
        else:
            keys = [_described(key) for key in ApiKey.objects.order_by("created_at")]
            self.answer(options, {"keys": keys}, _as_table(keys))


def _described(key: ApiKey) -> dict[str, Any]:
    scopes = [scope for scope in SCOPES if getattr(key, f"can_{scope}")]
    return {
        "prefix": key.prefix,
        "name": key.name,
        "scopes": ",".join(scopes),
        "created": f"{key.created_at:%Y-%m-%d}",
        "revoked": f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else "",
    }


def _as_table(keys: list[dict[str, Any]]) -> str:
    rows = [
        ["prefix", "name", "scopes", "created", "revoked"],
        *(list(key.values()) for key in keys),
    ]
    return "\n".join("".join(f"{cell:<14}" for cell in row).rstrip() for row in rows)
