"""Django's check of a user's password, slowed after wrong ones."""

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from argo.logins import throttle
from argo.logins.address import client_of
from signals.clock import utc_now

logger = logging.getLogger(__name__)
WAIT = "login_wait"
"""The attribute of a request with the time that its login must wait."""


class SlowedBackend(ModelBackend):
    """Checks the password unless the login must wait; then it fails, and the request says why."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,  # noqa: ANN401  # as Django has it
    ) -> User | None:
        """Return the user, or None. A login without a request comes from a program: no limit."""
        if request is None or username is None:
            return super().authenticate(request, username, password, **kwargs)
        address = client_of(request, settings.TRUSTED_PROXIES)
        by = throttle.counted_by(username, address)
        if wait := throttle.begin(by, utc_now()):
            setattr(request, WAIT, wait)
            logger.warning(
                "Logins as %r from %s are refused for %d s after too many wrong ones",
                username[:150], address, wait.total_seconds(),
            )  # fmt: skip
            return None
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            throttle.take_back(by)
        return user
