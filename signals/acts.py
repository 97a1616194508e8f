"""The log of acts: who changed what, when and why, written in the transaction of the act.

Only acts of people and of API keys are in it. What Argo does by itself is in the log files and in
the rows that it changes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest

from signals.keyset import STRETCH, Page
from signals.models import Act
from signals.rows import insert

COMMAND_LINE = "command line"
"""Who acts by a command that names nobody."""
MAX_LENGTH = 1000
"""Characters of each text; the rest of a longer one is cut off."""


class Kind(StrEnum):
    """What was done."""

    OUTCOME = "outcome"
    HALT = "halt"
    LIFT = "lift"
    EXECUTE = "execute"
    CANCEL = "cancel"
    CLOSE = "close"
    SETTLE = "settle"
    RETRY = "retry"
    RESOLVE = "resolve"
    ACCOUNT = "account"
    PRICE = "price"
    KEY = "key"
    NODE = "node"
    SCHEDULE = "schedule"
    USER = "user"
    LOGIN = "login"
    LOGIN_FAILED = "login failed"
    LOGOUT = "logout"
    OTHER = "other"


class ClaimedRequest(NamedTuple):
    """A request that may come again: with the same name, and the time `at` of the first one.

    `confirm` raises an error if another process answers it now.
    """

    name: str
    at: datetime
    confirm: Callable[[], None]

    def id_of(self, number: int) -> str:
        """Return the id of the `number`th thing that it makes: the same if it comes again."""
        return sha256(f"{self.name} {number}".encode()).hexdigest()[:32]

    def has_acted(self, kind: Kind | None = None) -> bool:
        """Return whether a process that was killed has done what the request asks for.

        With `kind`, only an act of this kind counts.
        """
        done = Act.objects.filter(request=self.name)
        return (done if kind is None else done.filter(kind=kind)).exists()


_request: ContextVar[ClaimedRequest | None] = ContextVar("claimed_request", default=None)


@contextmanager
def of_request(request: ClaimedRequest) -> Iterator[None]:
    """Name this request in each act of the block."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def current_request() -> ClaimedRequest | None:
    """Return the request that is answered now, if it may come again."""
    return _request.get()


def user_of(request: HttpRequest) -> str:
    """Return the name of the user who is logged in, as acts, reasons and halts store it."""
    return f"admin:{request.user.get_username()}"


def record(
    kind: Kind,
    about: str,
    *,
    who: str,
    at: datetime,
    signal_id: str = "",
    before: str = "",
    after: str = "",
    why: str = "",
    using: str = "default",
) -> None:
    """Store an act; call it in the transaction that changes what it is about.

    `before` and `after` are words or values for people. If it is for a request that another process
    answers now, raises what `ClaimedRequest.confirm` raises: then nothing may be changed.
    """
    if (request := _request.get()) is not None:
        request.confirm()
    texts = {"who": who, "about": about, "signal_id": signal_id, "why": why}
    texts |= {"before": before, "after": after}
    kept = {name: _kept(text) for name, text in texts.items()}
    insert(Act(kind=kind, at=at, request=request.name if request else "", **kept), using=using)


def page(
    limit: int,
    *,
    after: int | None = None,
    kind: str = "",
    who: str = "",
    signal_id: str = "",
    about: str = "",
    why: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[Act]:
    """Return acts, the newest first; empty filters choose all.

    `who` is the whole name; `about` and `why` are texts that these contain. Acts from `since` on,
    and before `until`. A page looks at a bounded number of rows: it may be short and still have a
    next one.
    """
    walked = _walked(since, until, after)
    end = walked[STRETCH - 1 : STRETCH].first()
    wanted = {
        "kind": kind, "who": who, "signal_id": signal_id, "about__icontains": about,
        "why__icontains": why,
    }  # fmt: skip
    chosen = walked.filter(**{name: value for name, value in wanted.items() if value})
    if end is not None:
        chosen = chosen.filter(at__gte=end.at).exclude(at=end.at, pk__lt=end.pk)
    found = list(chosen[: limit + 1])
    last = end.pk if end else None
    return Page(found[:limit], found[limit - 1].pk if len(found) > limit else last)


def _walked(since: datetime | None, until: datetime | None, after: int | None) -> QuerySet[Act]:
    """Return the acts of a time after the one with this key, as their index orders them.

    The key alone is no order of time: a clock may have been set back.
    """
    rows = Act.objects.order_by("-at", "-pk")
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    if after is None:
        return rows
    reached = Act.objects.filter(pk=after).first()
    if reached is None:
        return rows.none()
    return rows.filter(at__lte=reached.at).exclude(at=reached.at, pk__gte=reached.pk)


def _kept(text: str) -> str:
    """Return the text without NUL, which PostgreSQL cannot store, and not longer than allowed."""
    kept = text.replace("\0", "")
    return kept if len(kept) <= MAX_LENGTH else f"{kept[: MAX_LENGTH - 1]}…"
