"""Lists of the admin site by keyset: no list counts, sorts or scans without a bound."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from signals import keyset
from signals.admin.common import PlainAddresses
from signals.admin.markup import signal_url
from signals.keyset import indexed_page, scanned_page

AFTER = "after"
"""The part of a list's address that says after which row its page begins."""
ORIGIN = "from_signal"
"""The field of an action's form that says on which signal's page it was chosen."""
PLAIN = {"q", "e", "p", "o", "all", "_popup", "_to_field", "_facets", AFTER}
"""Parameters of Django's lists that select no rows, or that a list by keyset ignores."""
MAX_KEY = 2**63 - 1
Row = TypeVar("Row", bound=Model)
Act = TypeVar("Act", bound=Callable[..., Any])


def needing(permission: str, description: str) -> Callable[[Act], Act]:
    """Describe an action that needs this permission, such as `sync.change_delivery`."""

    def described(act: Act) -> Act:
        act.needs = permission  # type: ignore[attr-defined]
        return admin.action(description=description)(act)

    return described


class ListPage(NamedTuple):
    """Rows of a list, newest first, and the `after` of the next page; None on the last one.

    `looked_at` is set where a bounded scan ended before the page was full: how many rows it looked
    at. `total` says how many rows there are, if that is known without counting them. `export` is
    the query by which `/api/analysis/signals` streams all that pass; None if it cannot.
    """

    rows: list[Any]
    following: str | None = None
    looked_at: int | None = None
    total: str = ""
    export: str | None = None


class KeysetChangeList(ChangeList):
    """A list that reads one page after a key; filters and search may find it by an index.

    Those that do sort their rows by `keyset.by_index`. All other conditions are checked row by
    row, for a bounded number of rows.
    """

    after: str | None
    page: ListPage

    @property
    def is_narrowed(self) -> bool:
        """Return whether a filter or the search selects rows."""
        return bool(self.queryset.query.where)

    @property
    def is_indexed(self) -> bool:
        """Return whether an index finds the rows, which are few."""
        return bool(self.queryset.query.order_by)

    @property
    def older_url(self) -> str:
        """Return the address of the next page; empty on the last one."""
        return self.get_query_string({AFTER: self.page.following}) if self.page.following else ""

    @property
    def newest_url(self) -> str:
        """Return the address of the first page; empty on that page."""
        return self.get_query_string() if self.after else ""

    @property
    def note(self) -> str:
        """Say which rows of how many the page shows."""
        count, name = len(self.page.rows), str(self.opts.verbose_name_plural)
        if self.page.looked_at is not None:
            found = f"{count} found" if count else "Nothing found"
            return f"{found} among the {'next' if self.after else 'newest'} {self.page.looked_at:,}"
        if self.after:
            return f"{count} older {name}"
        if self.page.following:
            return f"Newest {count} {self.page.total or name}"
        return f"{count} {self.opts.verbose_name if count == 1 else name}"

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        self.after = request.GET.get(AFTER)
        self.params.pop(AFTER, None)  # a link to another filter begins with the newest row
        self.filter_params.pop(AFTER, None)
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:  # noqa: ANN401
        return list(queryset.query.order_by)

    def get_results(self, request: HttpRequest) -> None:
        self.page = cast("KeysetAdmin[Any]", self.model_admin).read_page(self)
        self.result_list = self.page.rows
        self.result_count = len(self.page.rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.full_result_count = self.result_count  # else the search form tells a count of its own


class KeysetAdmin(PlainAddresses, admin.ModelAdmin[Row]):
    """Lists rows by keyset, the newest key first."""

    list_per_page = 50
    ordering = ()
    sortable_by = ()  # to sort by another column the database would read all rows
    show_facets = ShowFacets.NEVER
    show_full_result_count = False

    @admin.display(description="")
    def action_checkbox(self, row: Row) -> SafeString:
        """Return Django's checkbox, without its form, which takes a fifth of a page's time."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            row.pk,
            f"Select this row: {row}",
        )

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:  # noqa: ANN401
        return KeysetChangeList

    def read_page(self, changes: KeysetChangeList) -> ListPage:
        """Return the page that the list shows."""
        limit, after, rows = self.list_per_page, _key(changes.after), changes.queryset
        if changes.is_indexed or not changes.is_narrowed:
            found, looked_at = indexed_page(rows, limit, after), None
        else:
            found = scanned_page(rows, limit, after, self._walked(changes))
            is_short = found.following is not None and len(found.rows) < limit
            looked_at = keyset.STRETCH if is_short else None
        following = None if found.following is None else str(found.following)
        total = "" if changes.is_narrowed or after is not None else self._total()
        return ListPage(found.rows, following, looked_at, total)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only what a filter of the list selects by: others may need a scan."""
        return lookup in PLAIN or lookup in self._parameters(request)

    def response_action(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        *of: Any,  # noqa: ANN401
    ) -> HttpResponse | None:
        if request.POST.get("select_across") not in (None, "", "0"):
            messages.error(
                request,
                "An action works on the rows that are selected on this page, not on all that pass "
                "the filters. Nothing was changed.",
            )
            return None
        answer = super().response_action(request, queryset, *of)
        if isinstance(answer, HttpResponseRedirect) and (signal_id := request.POST.get(ORIGIN)):
            return HttpResponseRedirect(signal_url(signal_id))
        return answer

    def get_actions(self, request: HttpRequest) -> Any:  # noqa: ANN401
        """Leave out the actions that need a permission which the user does not have."""
        actions = super().get_actions(request)
        needed = {name: getattr(act[0], "needs", "") for name, act in actions.items() if act}
        may = request.user.has_perm
        return {name: actions[name] for name, each in needed.items() if not each or may(each)}

    def _parameters(self, request: HttpRequest) -> set[str]:
        return {name for each in self.get_list_filter(request) for name in _names(each)}

    def _walked(self, changes: KeysetChangeList) -> QuerySet[Row] | None:
        """Return the rows among which a filter's index finds its own, in the order of keys."""
        given = (getattr(spec, "walked", None) for spec in changes.filter_specs)
        only = next((each for each in given if each is not None), None)
        return None if only is None else self.model._default_manager.filter(only)

    def _total(self) -> str:
        """Return at most how many rows there are: keys that a row never had are counted too."""
        keys = self.model._default_manager.values_list("pk", flat=True)
        # One by one: to find both ends in one statement SQLite reads all keys.
        first, last = keys.order_by("pk").first(), keys.order_by("-pk").first()
        if first is None or last is None:
            return ""
        return f"of at most {last - first + 1:,} {self.opts.verbose_name_plural}"


def _names(list_filter: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return the parameters of the address that a filter reads."""
    return getattr(list_filter, "NAMES", None) or (list_filter.parameter_name,)


def _key(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) > MAX_KEY:
        raise IncorrectLookupParameters(f"{AFTER} must be a link of an earlier page, unchanged")
    return int(text)
