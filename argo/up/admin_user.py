"""The first admin user."""

import secrets
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db.models import Q

NAME = "admin"


def random_password() -> str:
    """20 characters that nobody guesses."""
    return secrets.token_urlsafe(15)


def make_first_admin(new_password: Callable[[], str] = random_password) -> str | None:
    """Make the superuser `admin`, and answer the password, which is stored only as a hash.

    Nothing is made, and the answer is None, where there is a superuser already, or another
    user has that name.
    """
    if User.objects.filter(Q(is_superuser=True) | Q(username=NAME)).exists():
        return None
    password = new_password()
    User.objects.create_superuser(NAME, password=password)
    return password
