"""Keeps secrets out of what is stored: keys and passwords that came along with a signal."""

import logging
import re
from functools import lru_cache
from typing import Any

logger = logging.getLogger(__name__)

KEY_BEGINS = b"argo_"
KEY = re.compile(r"argo_[A-Za-z0-9_-]{40,}")
"""An API key of Argo, wherever it stands."""
_SURE = re.compile(
    r"passw|passphrase|secret|authorization|apikey|accesskey|privatekey|credential|cookie|"
    r"(?:access|auth|bearer|refresh|session|id)token"
)
"""Names of secrets, in small letters and digits alone."""
_LIKELY = frozenset({"token", "jwt", "bearer", "auth", "pwd"})
"""Names of secrets if they hold a text of some length; `token` may be a coin."""
SHORTEST = 8
"""Characters of such a text."""
HIDDEN = "***"


def has_key(text: str) -> bool:
    """Return whether the text contains an API key of Argo."""
    return "argo_" in text and KEY.search(text) is not None


def is_name_of_secret(name: str) -> bool:
    """Return whether a field with this name is likely to hold a secret, whatever its value."""
    plain = _plain(name)
    return plain in _LIKELY or _SURE.search(plain) is not None


def without_secrets(value: Any) -> Any:  # noqa: ANN401  # any JSON
    """Return the value without the fields that hold secrets, at any depth.

    A key inside a longer text is replaced by `***`. The value itself is returned if it has none.
    """
    if isinstance(value, str):
        return KEY.sub(HIDDEN, value) if has_key(value) else value
    if isinstance(value, dict):
        kept = {
            name: without_secrets(inner)
            for name, inner in value.items()
            if not _is_secret(name, inner)
        }
        _report(tuple(sorted(value.keys() - kept.keys())))
        return kept if _differs(kept, value) else value
    if isinstance(value, list):
        items = [without_secrets(inner) for inner in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def _differs(kept: dict[str, Any], value: dict[str, Any]) -> bool:
    return len(kept) < len(value) or any(kept[name] is not value[name] for name in kept)


def _is_secret(name: str, value: object) -> bool:
    if value is None or value == "":
        return False
    plain = _plain(name)
    if _SURE.search(plain) or has_key(name):
        return True
    if not isinstance(value, str):
        return False
    return (plain in _LIKELY and len(value) >= SHORTEST) or KEY.fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


@lru_cache(maxsize=256)
def _report(names: tuple[str, ...]) -> None:
    """Log the names once, not for each signal of a sender that sends them with all."""
    if names:
        logger.warning(
            "Not stored, because they look like secrets: %s. Leave them out of the signals; rename "
            "a field that holds no secret.",
            ", ".join(KEY.sub(HIDDEN, name) for name in names),
        )
