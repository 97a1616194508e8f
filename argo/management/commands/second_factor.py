"""`manage.py second_factor`: list who logs in with a second factor, or switch it off for a user."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from argo.errors import NotFound
from argo.logins import second_factor
from argo.models import SecondFactor
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = "List who has two-factor login, or switch it off for a user who lost the device."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--list", action="store_true", help="list the users who have it")
        what.add_argument("--reset", metavar="NAME", help="switch it off for this user")

    def run(self, options: dict[str, Any]) -> None:
        if options["list"]:
            names = _users()
            self.answer(options, {"users": names}, "\n".join(names) or "Nobody has it.")
            return
        user = User.objects.filter(username=options["reset"]).first()
        if user is None:
            raise NotFound(f"There is no user {options['reset']}.")
        second_factor.switch_off(user, None, "Switched off two-factor login.")
        text = f"{user.get_username()} logs in with the password alone now."
        self.answer(options, {"reset": user.get_username()}, text)


def _users() -> list[str]:
    factors = SecondFactor.objects.filter(confirmed_at__isnull=False)
    return list(factors.order_by("user__username").values_list("user__username", flat=True))
