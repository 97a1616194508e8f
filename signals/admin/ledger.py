"""The admin pages of dead letters, outcome changes, cursors and API keys."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from argo.errors import ArgoError
from signals.admin import markup
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import emptiness, one_of
from signals.admin.columns import column, time
from signals.admin.common import ActedOn, ReadOnly, who
from signals.admin.exports import EXPORTS
from signals.admin.search import SearchedBySignal
from signals.clock import utc_now
from signals.config import stored_handlers
from signals.keys import revoke, scopes_of
from signals.ledger.retry import resolve, retry
from signals.models import ApiKey, DeadLetter, JournalCursor, OutcomeChange


@admin.register(DeadLetter)
class DeadLetterAdmin(ActedOn, KeysetAdmin[DeadLetter]):
    list_display = ("created", "kind", "signal_id", "reason", "resolved")
    list_filter = (
        one_of("kind", DeadLetter.Kind.choices, parameter="kind__exact"),
        emptiness("resolved_at", yes="not resolved", no="resolved"),
    )
    search_fields = ("signal_id",)
    search_help_text = "A complete signal id"
    actions = ("send_again", "resolve")
    fields = ("created_at", "kind", "signal_id", "reason", "place", "content", "resolved_at")
    readonly_fields = ("place", "content")

    created = column("created", "created_at", time)
    resolved = column("resolved", "resolved_at", time)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        term = search_term.strip()
        return (queryset.filter(signal_id=term) if term else queryset), False

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
                retry(letter, now=utc_now(), handlers=stored_handlers(), who=who(request))
            except ArgoError as error:
                messages.error(request, f"{letter}: {error}")
            else:
                messages.success(request, f"Stored {letter.signal_id}")
                self.log_change(request, letter, "Sent again")

    @admin.action(description="Mark as resolved", permissions=["change"])
    def resolve(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        for letter in letters.filter(resolved_at=None):
            resolve(letter, who=who(request), now=utc_now())
            self.log_change(request, letter, "Marked as resolved")


@admin.register(OutcomeChange)
class OutcomeChangeAdmin(ReadOnly, SearchedBySignal[OutcomeChange]):
    list_display = ("changed", "about", "who", "why", "changes")
    list_select_related = ("signal",)
    symbol = "signal__symbol"
    actions = EXPORTS

    changed = column("time", "at", markup.moment)

    @admin.display(description="signal")
    def about(self, change: OutcomeChange) -> SafeString:
        signal = change.signal
        link = markup.signal_link(signal.signal_id, signal.symbol)
        return format_html("{} {} {}", markup.side(signal.action), link, signal.timestamp)

    @admin.display(description="from and to")
    def changes(self, change: OutcomeChange) -> str:
        moved = (name for name in change.after if change.after[name] != change.before.get(name))
        return "; ".join(
            f"{name}: {_shown(change.before.get(name))} to {_shown(change.after[name])}"
            for name in moved
        )


@admin.register(JournalCursor)
class JournalCursorAdmin(ReadOnly, admin.ModelAdmin[JournalCursor]):
    list_display = ("journal", "segment", "byte")


@admin.register(ApiKey)
class ApiKeyAdmin(ActedOn, admin.ModelAdmin[ApiKey]):
    """Lists and revokes keys; `manage.py api_key` makes them and shows each once."""

    list_display = ("name", "prefix", "scopes", "created", "revoked")
    fields = ("name", "prefix", "scopes", "created_at", "revoked_at")
    readonly_fields = ("scopes",)
    actions = ("revoke",)

    created = column("created", "created_at", time)
    revoked = column("revoked", "revoked_at", time)

    @admin.display
    def scopes(self, key: ApiKey) -> str:
        return ", ".join(scopes_of(key))

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys.filter(revoked_at=None):
            revoke(key.prefix, utc_now(), who=who(request))
            self.log_change(request, key, "Revoked")


def _shown(value: object) -> str:
    """Return a changed value with six digits; a dash without one."""
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
