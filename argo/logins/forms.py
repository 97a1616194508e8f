"""The login form of the admin site, and the form for the code of a second factor."""

import logging
from datetime import timedelta
from math import ceil
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from argo.logins import second_factor, throttle
from argo.logins.backend import WAIT
from argo.models import SecondFactor
from signals.clock import utc_now

logger = logging.getLogger(__name__)
WRONG_CODE = (
    "This code is wrong, or was used before. Wait for the next one; if that is wrong too, check "
    "the clock of your device."
)


class LoginForm(AdminAuthenticationForm):
    """Says how long to wait after too many wrong logins."""

    def get_invalid_login_error(self) -> ValidationError:
        """Return why the login failed."""
        wait: timedelta | None = getattr(self.request, WAIT, None)
        return super().get_invalid_login_error() if wait is None else _must_wait("logins", wait)


class CodeForm(forms.Form):
    """Takes a code of the user's app or a recovery code, slowed as passwords are."""

    code = forms.CharField(max_length=40)

    def __init__(self, factor: SecondFactor, *args: Any) -> None:  # noqa: ANN401  # as Django has it
        super().__init__(*args)
        self._factor = factor

    def clean_code(self) -> str:
        """Use the code up. A wrong one counts for the user, from whatever address it comes."""
        code: str = self.cleaned_data["code"]
        now, by = utc_now(), throttle.counted_by_code(self._factor.user_id)
        if wait := throttle.begin((by,), now):
            logger.warning(
                "Codes of %r are refused for %d s after too many wrong ones: who tries them has "
                "the password",
                self._factor.user.get_username(), wait.total_seconds(),
            )  # fmt: skip
            raise _must_wait("codes", wait)
        if not second_factor.accepts(self._factor, code, now):
            raise ValidationError(WRONG_CODE, code="wrong")
        throttle.forget(by)
        return code


def _must_wait(what: str, wait: timedelta) -> ValidationError:
    minutes = ceil(wait.total_seconds() / 60)
    return ValidationError(
        f"Too many wrong {what}. Try again in {minutes} minute{'s' * (minutes > 1)}.", code="wait"
    )
