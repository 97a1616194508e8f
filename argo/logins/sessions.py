"""The sessions of users in the database: each ends when nobody uses it, and after some days anyhow.

Django finds the class `SessionStore` by the setting SESSION_ENGINE.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from argo.logins.address import client_of
from signals.clock import utc_now

STARTED, SEEN, ADDRESS, BROWSER = "started_at", "seen_at", "address", "browser"
UNUSED_AFTER = timedelta(minutes=10)
"""A session ends so soon if no page was opened with it, as one that waits for a code."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: each time, it costs a write."""


class SessionStore(db.SessionStore):
    """Ends a session at the earlier of its idle and its absolute limit."""

    def get_expiry_date(self, **_: Any) -> datetime:  # noqa: ANN401  # as Django has it
        """Return when the session ends if it is not used again."""
        if STARTED not in self:
            return utc_now() + UNUSED_AFTER
        idle = timedelta(seconds=settings.SESSION_IDLE)
        lifetime = timedelta(seconds=settings.SESSION_LIFETIME)
        return min(_moment(self[STARTED]) + lifetime, _moment(self[SEEN]) + idle)

    def get_expiry_age(self, **_: Any) -> int:  # noqa: ANN401  # as Django has it
        """Return the seconds until then, for the cookie."""
        return max(0, int((self.get_expiry_date() - utc_now()).total_seconds()))


@dataclass(frozen=True)
class OpenSession:
    """A session as its user sees it."""

    key: str
    browser: str
    address: str
    started_at: datetime
    seen_at: datetime


def touch(request: HttpRequest, now: datetime) -> None:
    """Write down that the user uses the session, and from where.

    A page that asks again by itself does not count: nobody may be sitting there.
    """
    session = request.session
    if STARTED not in session:
        session.update({STARTED: now.timestamp(), SEEN: now.timestamp()})
        Session.objects.filter(expire_date__lt=now).delete()
    elif "HX-Request" in request.headers or now - _moment(session[SEEN]) < SEEN_EVERY:
        return
    session[SEEN] = now.timestamp()
    session[ADDRESS] = client_of(request, settings.TRUSTED_PROXIES)
    session[BROWSER] = request.headers.get("User-Agent", "")[:200]


def open_sessions(user: User) -> list[OpenSession]:
    """Return the user's sessions that have not ended, the last used one first."""
    found = (
        OpenSession(
            key, data.get(BROWSER, ""), data.get(ADDRESS, ""),
            _moment(data[STARTED]), _moment(data[SEEN]),
        )
        for key, data in _of_user(user) if STARTED in data
    )  # fmt: skip
    return sorted(found, key=lambda each: each.seen_at, reverse=True)


def end_sessions(user: User, *, but: SessionBase | None = None) -> int:
    """End the user's sessions, except the given one, and return how many."""
    keys = [key for key, _ in _of_user(user) if but is None or key != but.session_key]
    ended, _ = Session.objects.filter(session_key__in=keys).delete()
    return ended


def end_all() -> None:
    """End the sessions of all users."""
    Session.objects.all().delete()


def _of_user(user: User) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the key and the data of each session that the user's password still opens.

    Their number is that of the logins of some days: each is decoded.
    """
    for row in Session.objects.filter(expire_date__gt=utc_now()):
        data = row.get_decoded()
        is_own = data.get(SESSION_KEY) == str(user.pk)
        if is_own and compare_digest(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
            yield row.session_key, data


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
