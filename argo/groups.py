"""The groups that users of the admin site belong to, with the permissions of API keys' scopes."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission

VIEWER, TRADER, ADMINISTRATOR = "viewer", "trader", "administrator"
OWN_APPS = ("signals", "sync", "execution")
ADMINISTERED = (*OWN_APPS, "admin", "auth", "django_celery_beat")
FOR_ADMINISTRATORS = {"apikey", "act", "subscription"}
"""Models that only administrators see."""
ACTED_ON = {
    "alert", "signal", "deadletter", "decision", "delivery", "eventdelivery", "halt", "order",
    "position",
}  # fmt: skip
"""Models whose pages let a trader act: edit outcomes, send again, read alerts again, execute, halt,
resume, cancel, close."""


def make_groups() -> None:
    """Make the three groups, and give each exactly its permissions.

    It runs after each `migrate`, because new tables bring new permissions. Nothing is written if
    all is as it should be.
    """
    permissions = Permission.objects.select_related("content_type")
    administered = list(permissions.filter(content_type__app_label__in=ADMINISTERED))
    shown = [each for each in administered if _is_shown(each)]
    acting = [each for each in administered if _is_acting(each)]
    _make(VIEWER, shown)
    _make(TRADER, [*shown, *acting])
    _make(ADMINISTRATOR, administered)


def _is_shown(permission: Permission) -> bool:
    kind = permission.content_type
    is_own = kind.app_label in OWN_APPS and kind.model not in FOR_ADMINISTRATORS
    return is_own and permission.codename == f"view_{kind.model}"


def _is_acting(permission: Permission) -> bool:
    kind = permission.content_type
    is_own = kind.app_label in OWN_APPS and kind.model in ACTED_ON
    return is_own and permission.codename == f"change_{kind.model}"


def _make(name: str, permissions: Iterable[Permission]) -> None:
    group, _ = Group.objects.get_or_create(name=name)
    wanted = {each.pk for each in permissions}
    if wanted != set(group.permissions.values_list("pk", flat=True)):
        group.permissions.set(wanted)
