"""Who must have two-factor login, by the setting REQUIRE_SECOND_FACTOR."""

from django.conf import settings
from django.contrib.auth.models import User

TRADERS = "traders"
"""The value of the setting; `off` requires it of nobody."""


def must_have(user: User) -> bool:
    """Return whether the user needs a second factor: it may do more than look."""
    return settings.REQUIRE_SECOND_FACTOR == TRADERS and may_act(user)


def may_act(user: User) -> bool:
    """Return whether the user has a permission that is not only to see something."""
    names = (permission.partition(".")[2] for permission in user.get_all_permissions())
    return user.is_superuser or any(not name.startswith("view_") for name in names)
