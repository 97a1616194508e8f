"""The login form of the admin site."""

from datetime import timedelta
from math import ceil

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from argo.logins.backend import WAIT


class LoginForm(AdminAuthenticationForm):
    """Says how long to wait after too many wrong logins."""

    def get_invalid_login_error(self) -> ValidationError:
        """Return why the login failed."""
        wait: timedelta | None = getattr(self.request, WAIT, None)
        if wait is None:
            return super().get_invalid_login_error()
        minutes = ceil(wait.total_seconds() / 60)
        return ValidationError(
            f"Too many wrong logins. Try again in {minutes} minute{'s' * (minutes > 1)}.",
            code="wait",
        )
