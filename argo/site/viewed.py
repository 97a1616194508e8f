"""The pages outside the admin site, and the permission that each needs."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache

from signals.api.auth import VIEW

SEE_ACTS = "signals.view_act"
"""Administrators have it: the log names people."""
NEEDED = {
    "dashboard": VIEW,
    "report": VIEW,
    "report-compare": VIEW,
    "report-daily": VIEW,
    "running": VIEW,
    "problems": VIEW,
    "history": VIEW,
    "limits": VIEW,
    "acts": SEE_ACTS,
}
"""The permission that each page needs, by the name of its URL."""
RECORD = "track-records"
"""The public record, which is there for everybody, or for nobody."""
View = Callable[[HttpRequest], HttpResponse]


def urls_for(user: User | AnonymousUser) -> dict[str, str]:
    """Return the addresses of the pages that a user may see, by the names of their URLs."""
    found = {name: reverse(name) for name, needed in NEEDED.items() if user.has_perm(needed)}
    return found | ({RECORD: reverse(RECORD)} if settings.RECORD_PUBLIC else {})


def shown_to(permission: str) -> Callable[[View], View]:
    """Let only staff with this permission see the page; nobody keeps a copy of it."""

    def decorated(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request)

        return never_cache(staff_member_required(checked))

    return decorated
