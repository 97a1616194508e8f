"""Pages of other packages' models: users, whose two-factor login an administrator may switch off,
and schedules, as the page of what runs shows them."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask

from argo.logins import second_factor
from signals.admin import markup

admin.site.unregister([User, PeriodicTask])


@admin.register(User)
class UserPage(UserAdmin[User]):
    """For those who lost their device and their recovery codes."""

    list_display = (
        "username", "email", "first_name", "last_name", "is_staff", "has_second_factor",
    )  # fmt: skip
    list_select_related = ("second_factor",)
    actions = ("switch_off",)

    @admin.display(description="two-factor login", boolean=True)
    def has_second_factor(self, user: User) -> bool:
        """Return whether the user's two-factor login is on."""
        factor = getattr(user, "second_factor", None)
        return factor is not None and factor.confirmed_at is not None

    @admin.action(description="Switch off two-factor login", permissions=["change"])
    def switch_off(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Switch it off for the selected users who have it."""
        chosen = [user for user in users if second_factor.of(user)]
        for user in chosen:
            second_factor.switch_off(user, _by(request.user), "Switched off two-factor login.")
        names = ", ".join(user.get_username() for user in chosen) or "nobody: none of them has it"
        messages.success(request, f"Two-factor login is switched off for {names}.")


@admin.register(PeriodicTask)
class SchedulePage(PeriodicTaskAdmin):  # type: ignore[misc]  # the package publishes no types
    """Lists the schedules with what people look for."""

    date_hierarchy = None
    ordering = ("name",)
    list_display = ("name", "task", "scheduler", "state", "last_run")
    list_filter = ("enabled",)

    @admin.display(description="state")
    def state(self, task: Any) -> SafeString:  # noqa: ANN401
        """Return whether beat sends the task."""
        return markup.tag("on", "good") if task.enabled else markup.tag("off", "care")

    @admin.display(description="last run")
    def last_run(self, task: Any) -> str:  # noqa: ANN401
        """Return when beat sent the task last, as it is stored every three minutes."""
        return markup.moment(task.last_run_at)


def _by(user: Any) -> User:  # noqa: ANN401  # a user of the admin site
    if not isinstance(user, User):
        raise TypeError("only users come here")
    return user
