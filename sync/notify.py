"""Tells people something, through the addresses in NOTIFY_URLS."""

from django.utils.text import Truncator

from signals.clock import Clock, utc_now
from sync.models import Notice
from sync.targets import targets

MAX_TITLE, MAX_BODY = 200, 2000
"""Characters; the rest of a longer text is cut off."""


def notify(title: str, body: str = "", clock: Clock = utc_now) -> None:
    """Queue a message to every target, in the caller's transaction, and return.

    A worker sends it (`sync.courier`). Without NOTIFY_URLS this does nothing.
    """
    now = clock()
    Notice.objects.bulk_create(
        Notice(target=name, title=_cut(title, MAX_TITLE), body=_cut(body, MAX_BODY),
               made_at=now, due_at=now)
        for name in targets()
    )  # fmt: skip


def _cut(text: str, length: int) -> str:
    """Return the text without NUL, which PostgreSQL cannot store, and not longer than this."""
    return Truncator(text.replace("\0", "")).chars(length)
