"""Tells people something, through the addresses in NOTIFY_URLS."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.text import Truncator

from signals.clock import Clock, utc_now
from sync.models import Notice
from sync.targets import targets
from sync.wording import worded

MAX_TITLE, MAX_BODY = 200, 2000
"""Characters; the rest of a longer text is cut off."""


def notify(
    title: str,
    body: str = "",
    clock: Clock = utc_now,
    *,
    about: str = "",
    data: Mapping[str, object] | None = None,
) -> None:
    """Queue a message to every target, in the caller's transaction, and return.

    A worker sends it (`sync.courier`). Without NOTIFY_URLS this does nothing. `about` is what it
    tells, a problem's code or a type of event: it chooses the operator's template, which gets
    `data` too, and decides if the message is urgent.
    """
    if not (names := targets()):
        return
    now = clock()
    title, body = cut(*worded(about, title, body, data or {}))
    Notice.objects.bulk_create(
        Notice(target=name, title=title, body=body, about=about,
               is_urgent=about in settings.NOTIFY_URGENT, queued_at=now, due_at=now)
        for name in names
    )  # fmt: skip


def cut(title: str, body: str) -> tuple[str, str]:
    """Return the message without what no target could take."""
    return _cut(title, MAX_TITLE), _cut(body, MAX_BODY)


def _cut(text: str, length: int) -> str:
    """Return the text without NUL, which PostgreSQL cannot store, and not longer than this."""
    return Truncator(text.replace("\0", "")).chars(length)
