"""The admin pages of dead letters, outcome changes, cursors and API keys."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from argo.errors import ArgoError
from signals.admin.common import ActedOn, ReadOnly
from signals.clock import utc_now
from signals.config import stored_handlers
from signals.keys import scopes_of
from signals.ledger.retry import retry
from signals.models import ApiKey, DeadLetter, JournalCursor, OutcomeChange


@admin.register(DeadLetter)
class DeadLetterAdmin(ActedOn, admin.ModelAdmin[DeadLetter]):
    list_display = ("created_at", "kind", "signal_id", "reason", "resolved_at")
    list_filter = ("kind", ("resolved_at", admin.EmptyFieldListFilter))
    search_fields = ("=signal_id",)
    actions = ("send_again", "resolve")
    fields = ("created_at", "kind", "signal_id", "reason", "place", "content", "resolved_at")
    readonly_fields = ("place", "content")

    @admin.display(description="Place in the journal")
    def place(self, letter: DeadLetter) -> str:
        return f"segment {letter.segment}, byte {letter.byte}"

    @admin.display(description="Complete line")
    def content(self, letter: DeadLetter) -> str:
        return bytes(letter.payload).decode(errors="backslashreplace")

    @admin.action(description="Try again", permissions=["change"])
    def send_again(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        for letter in letters:
            try:
                retry(letter, now=utc_now(), handlers=stored_handlers())
            except ArgoError as error:
                messages.error(request, f"{letter}: {error}")
            else:
                messages.success(request, f"Stored {letter.signal_id}")

    @admin.action(description="Mark as resolved", permissions=["change"])
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
class ApiKeyAdmin(ActedOn, admin.ModelAdmin[ApiKey]):
    """Lists and revokes keys; `manage.py api_key` makes them and shows each once."""

    list_display = ("name", "prefix", "scopes", "created_at", "revoked_at")
    fields = ("name", "prefix", "scopes", "created_at", "revoked_at")
    readonly_fields = ("scopes",)
    actions = ("revoke",)

    @admin.display
    def scopes(self, key: ApiKey) -> str:
        return ", ".join(scopes_of(key))

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        keys.filter(revoked_at=None).update(revoked_at=utc_now())
