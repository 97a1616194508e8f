"""`manage.py webhook`: subscriptions to events."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.clock import utc_now
from signals.events import EventType
from signals.management.command import ArgoCommand
from signals.timestamps import parse_utc
from sync.webhooks import retrying, subscriptions
from sync.webhooks.signing import public_key
from sync.webhooks.status import SubscriptionStatus, statuses

KEEP = "Keep the secret: it cannot be shown again."


class Command(ArgoCommand):
    help = (
        "Make a subscription to events, list, test or end it, or send its events again. --test "
        "exits with 1 if the receiver does not accept the event."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--create", metavar="NAME", help="make a subscription; needs --url")
        what.add_argument("--list", action="store_true", help="list all subscriptions")
        what.add_argument("--revoke", metavar="NAME", help="send it nothing more")
        what.add_argument("--enable", metavar="NAME", help="send to it again, also what waits")
        what.add_argument("--rotate-secret", metavar="NAME",
                          help="make a new secret; the old one signs too for a day")  # fmt: skip
        what.add_argument("--test", metavar="NAME", help="send one event now; print the answer")
        what.add_argument("--replay", metavar="NAME",
                          help="send its events from --since on again, with their ids")  # fmt: skip
        what.add_argument("--retry-dead", metavar="NAME", help="send its dead events again")
        parser.add_argument("--url", help="with --create: where events are sent to")
        parser.add_argument("--types", default=subscriptions.ALL, metavar="TYPES", help=(
            f"with --create: the types that it wants, separated by commas: {', '.join(EventType)}, "
            "or all (the default)"
        ))  # fmt: skip
        parser.add_argument("--since", metavar="TIME",
                            help="with --replay: for example 2025-01-15T10:30:00Z")  # fmt: skip
        parser.add_argument("--why", default="", help="with --revoke: the reason, which is kept")

    def run(self, options: dict[str, Any]) -> None:
        acts = {
            "create": self._create, "revoke": self._revoke, "enable": self._enable,
            "rotate_secret": self._rotate, "test": self._test, "replay": self._replay,
            "retry_dead": self._retry_dead,
        }  # fmt: skip
        chosen = next((act for name, act in acts.items() if options[name] is not None), self._list)
        chosen(options)

    def _create(self, options: dict[str, Any]) -> None:
        if not options["url"]:
            raise InvalidInput([FieldError("--url", "is needed: where events are sent to")])
        types = [kind.strip() for kind in options["types"].split(",")]
        made = subscriptions.create(options["create"], options["url"], types, now=utc_now())
        self._answer_with_secret(options, made.name, made.secret)

    def _rotate(self, options: dict[str, Any]) -> None:
        subscription = subscriptions.named(options["rotate_secret"])
        secret = subscriptions.rotate_secret(subscription, now=utc_now())
        self._answer_with_secret(options, subscription.name, secret)

    def _answer_with_secret(self, options: dict[str, Any], name: str, secret: str) -> None:
        found = {"name": name, "secret": secret, "public_key": public_key()}
        text = f"secret: {secret}\npublic key: {found['public_key']}\n{KEEP}"
        self.answer(options, found, text)

    def _list(self, options: dict[str, Any]) -> None:
        found = statuses(utc_now())
        result = {"public_key": public_key(), "subscriptions": [each.as_dict() for each in found]}
        lines = [_described(each) for each in found] or ["There is no subscription."]
        self.answer(options, result, "\n".join([f"public key: {result['public_key']}", *lines]))

    def _revoke(self, options: dict[str, Any]) -> None:
        subscription = subscriptions.named(options["revoke"])
        subscriptions.revoke(subscription, options["why"], now=utc_now())
        self.answer(options, {"revoked": subscription.name}, f"{subscription} is revoked.")

    def _enable(self, options: dict[str, Any]) -> None:
        subscription = subscriptions.named(options["enable"])
        subscriptions.enable(subscription, now=utc_now())
        self.answer(options, {"enabled": subscription.name}, f"{subscription} is active.")

    def _test(self, options: dict[str, Any]) -> None:
        tested = retrying.send_test(subscriptions.named(options["test"]))
        result = "accepted" if tested.accepted else "not accepted"
        status = tested.status or "no answer"
        self.answer(options, asdict(tested), f"{result} ({status}): {tested.answer}")
        if not tested.accepted:
            self.fail("The receiver does not accept events.")

    def _replay(self, options: dict[str, Any]) -> None:
        subscription = subscriptions.named(options["replay"])
        queued = retrying.replay(subscription, _since(options["since"]), utc_now())
        self.answer(options, {"queued": queued}, f"{queued} events queued again")

    def _retry_dead(self, options: dict[str, Any]) -> None:
        subscription = subscriptions.named(options["retry_dead"])
        queued = retrying.retry_dead(utc_now(), subscription=subscription)
        self.answer(options, {"queued": queued}, f"{queued} events queued again")


def _described(status: SubscriptionStatus) -> str:
    subscription = status.subscription
    state = subscription.state + (f" ({subscription.reason})" if subscription.reason else "")
    paused = f", paused: {status.paused_for}" if status.paused_for else ""
    return (
        f"{subscription.name}: {state}, {status.pending} pending, {status.dead} dead{paused}\n"
        f"    {subscription.url}\n    {', '.join(subscription.types)}"
    )


def _since(text: str | None) -> datetime:
    if not text:
        raise InvalidInput([FieldError("--since", "is needed, as in 2025-01-15T10:30:00Z")])
    try:
        return parse_utc(text)
    except ValueError as error:
        raise InvalidInput([FieldError("--since", str(error))]) from None
