"""Parts that several admin pages share."""

from contextlib import suppress
from typing import Any

from django.contrib.auth import get_permission_codename
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from signals import acts

PATTERNS = ("regex", "iregex")


class PlainAddresses:
    """Refuses what somebody can write into a page's address to hurt it.

    A pattern can keep its thread busy for ever, and on SQLite, where Python tries it, the whole
    process.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        is_pattern = lookup.rpartition("__")[2] in PATTERNS
        return not is_pattern and super().lookup_allowed(lookup, value, request)  # type: ignore[misc]

    def get_object(self, *of: Any) -> Any:  # noqa: ANN401  # as Django has it
        """Return the row, or None, also for a number that is too large for the database."""
        with suppress(OverflowError):
            return super().get_object(*of)  # type: ignore[misc]


class ReadOnly(PlainAddresses):
    """Makes an admin page read-only."""

    extra = 0  # for an inline: else it shows an empty form if there is no row

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ActedOn(ReadOnly):
    """Rows that nobody edits, with actions for users who have the change permission.

    Name that permission in each action: `@admin.action(permissions=["change"])`.
    """

    opts: Any  # a ModelAdmin's

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        # Nobody edits a single row; on the list it decides who may use the actions.
        return obj is None and request.user.has_perm(
            f"{self.opts.app_label}.{get_permission_codename('change', self.opts)}"
        )


def who(request: HttpRequest) -> str:
    """Return the user's name as changes, reasons and halts store it."""
    return acts.user_of(request)


def votes_table(votes: object) -> SafeString:
    """Return a table of each source's vote and figures; other JSON is shown as it is."""
    return render_to_string("admin/signals/votes.html", {"votes": votes})
