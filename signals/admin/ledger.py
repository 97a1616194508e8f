"""The admin pages of dead letters, outcome changes, cursors and API keys."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from argo.errors import ArgoError
from signals.admin.common import ReadOnly
from signals.clock import utc_now
from signals.config import stored_handlers
from signals.ledger.retry import retry
from signals.models import ApiKey, DeadLetter, JournalCursor, OutcomeChange


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly, admin.ModelAdmin[DeadLetter]):
    list_display = ("created_at", "kind", "signal_id", "reason", "resolved_at")
    list_filter = ("kind", ("resolved_at", admin.EmptyFieldListFilter))
    search_fields = ("=signal_id",)
    actions = ("send_again", "resolve")
    fields = ("created_at", "kind", "signal_id", "reason", "place", "content", "resolved_at")
    readonly_fields = ("place", "content")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return obj is None  # for the actions on the list

    @admin.display(description="Place in the journal")
    def place(self, letter: DeadLetter) -> str:
        return f"segment {letter.segment}, byte {letter.byte}"

    @admin.display(description="Complete line")
    def content(self, letter: DeadLetter) -> str:
        return bytes(letter.payload).decode(errors="backslashreplace")

    @admin.action(description="Try again")
    def send_again(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        for letter in letters:
            try:
                retry(letter, now=utc_now(), handlers=stored_handlers())
            except ArgoError as error:
                messages.error(request, f"{letter}: {error}")
            else:
                messages.success(request, f"Stored {letter.signal_id}")

    @admin.action(description="Mark as resolved")
    def resolve(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        letters.filter(resolved_at=None).update(resolved_at=utc_now())


@admin.register(OutcomeChange)
class OutcomeChangeAdmin(ReadOnly, admin.ModelAdmin[OutcomeChange]):
    list_display = ("at", "signal", "who", "why", "before", "after")
    list_select_related = ("signal",)


@admin.register(JournalCursor)
class JournalCursorAdmin(ReadOnly, admin.ModelAdmin[JournalCursor]):
    list_display = ("journal", "segment", "byte")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, admin.ModelAdmin[ApiKey]):
    """Lists and revokes keys; `manage.py api_key` makes them and shows each once."""

    list_display = ("name", "prefix", "can_read", "can_write", "created_at", "revoked_at")
    exclude = ("sha256",)
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return obj is None  # for the action on the list

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        keys.filter(revoked_at=None).update(revoked_at=utc_now())
