"""Records what users change of the models of other packages: users, groups, schedules."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from signals import acts
from signals.clock import utc_now

KINDS = {"auth": acts.Kind.USER, "django_celery_beat": acts.Kind.SCHEDULE}
"""The kinds of acts on the models of other packages; Argo's own models record theirs."""


class RecordsActs:
    """Records each addition, change and deletion of a model's rows, beside Django's own log.

    Django calls these methods in the transaction of the change.
    """

    opts: Any  # a ModelAdmin's

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:  # noqa: ANN401
        entry: LogEntry = super().log_addition(request, obj, message)  # type: ignore[misc]
        self._record(request, obj, entry.get_change_message())
        return entry

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:  # noqa: ANN401
        entry: LogEntry = super().log_change(request, obj, message)  # type: ignore[misc]
        self._record(request, obj, entry.get_change_message())
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:  # noqa: ANN401
        for row in queryset:
            self._record(request, row, "Deleted.")
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def _record(self, request: HttpRequest, row: Model, change: str) -> None:
        about = f"{self.opts.verbose_name} {row}"
        kind = KINDS.get(self.opts.app_label, acts.Kind.OTHER)
        acts.record(kind, about, who=acts.user_of(request), at=utc_now(), after=change)
