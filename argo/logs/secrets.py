"""Keeps secrets out of the log: the settings' own, and what looks like one."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"
SHORTEST = 4
"""Characters of a secret that is recognised everywhere. A shorter one is part of many words; it is
hidden only where a URL or an assignment shows that it is one."""
_SETTING = re.compile(r"(?:KEY|KEYS|SECRET|TOKEN|PASSWORD|FALLBACKS)$")
_ALL_SECRET = re.compile(r"^NOTIFY_")
"""Settings with addresses that are secrets as a whole, such as those of a messenger's bot."""
_FIELD = re.compile(r"(?i)passw|secret|token|authorization|api_?key|cookie")
_NAMED = (
    r"(?:\w{1,40}[_-])?(?:passwd|password|secret(?:[_-]?key)?|token|api[_-]?key)|"
    r"(?:proxy-)?authorization|apca-api-[a-z-]{1,20}|(?:set-)?cookie|sessionid|csrftoken"
)
_PATTERNS = (
    re.compile(r"(?P<before>(?<=://)[^\s/@:]{0,256}:)[^\s/]{1,512}(?=@)"),
    re.compile(r"(?P<before>)\bargo_[A-Za-z0-9_-]{20,}"),
    re.compile(r"(?P<before>/hooks/)[^\s/?#'\"<>]{1,512}"),  # a sender's token
    re.compile(  # a header, an assignment, a field of JSON or of a dictionary
        rf"(?i)(?P<before>\b(?:{_NAMED})['\"]?\s{{0,9}}[=:]\s{{0,9}}(?:b?['\"])?"
        r"(?:(?:basic|bearer|token)\s{1,9})?)[^\s'\"&,;()]{1,4096}"
    ),
    re.compile(r"(?i)(?P<before>\bbearer\s{1,9})[\w.~+/=-]{8,}"),
)


def is_secret_field(name: str) -> bool:
    """Return whether a field with this name holds a secret, whatever its value."""
    return _FIELD.search(name) is not None


def hider(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return a function that hides these secrets in a text, and what looks like a secret."""
    spellings = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
    known = sorted((each for each in spellings if len(each) >= SHORTEST), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, known))) if known else None

    def hide(text: str) -> str:
        if pattern is not None:
            text = pattern.sub(HIDDEN, text)
        for each in _PATTERNS:
            text = each.sub(_hidden, text)
        return text

    return hide


def known_secrets(settings: Any) -> set[str]:  # noqa: ANN401  # Django's settings
    """Return the secrets among the settings: keys, and the passwords in addresses."""
    found: set[str] = set()
    for name in filter(str.isupper, dir(settings)):
        found.update(_secrets_of(name, getattr(settings, name)))
    found.update(str(each.get("PASSWORD") or "") for each in settings.DATABASES.values())
    return found - {""}


def _hidden(found: re.Match[str]) -> str:
    return f"{found['before']}{HIDDEN}"


def _secrets_of(name: str, value: object) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _secrets_of(name, each)
    elif isinstance(value, str):
        if _SETTING.search(name) or _ALL_SECRET.search(name):
            yield value
        if "://" in value:
            yield from _password(value)


def _password(url: str) -> Iterator[str]:
    try:
        password = urlsplit(url).password
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))
