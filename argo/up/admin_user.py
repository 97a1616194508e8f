"""The first admin user."""

import secrets
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from signals import acts
from signals.clock import utc_now

NAME = "admin"


def random_password() -> str:
    """Return 20 random characters."""
    return secrets.token_urlsafe(15)


def make_first_admin(new_password: Callable[[], str] = random_password) -> str | None:
    """Create the superuser `admin` and return its password, which is stored only as a hash.

    Do nothing and return None if there is a superuser already, or if the name is taken.
    """
    if User.objects.filter(Q(is_superuser=True) | Q(username=NAME)).exists():
        return None
    password = new_password()
    with transaction.atomic():
        User.objects.create_superuser(NAME, password=password)
        about = f"user {NAME}, the first administrator"
        acts.record(acts.Kind.USER, about, who=acts.COMMAND_LINE, at=utc_now(), after="made")
    return password
