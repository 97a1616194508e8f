"""The addresses of NOTIFY_URLS, in Apprise's form: they contain secrets and are never shown."""

import hashlib
import logging
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from apprise import Apprise

DIGEST_LENGTH = 12
QUIET_LOGGERS = {"apprise": logging.CRITICAL + 1, "urllib3.connectionpool": logging.INFO}
"""Apprise and urllib3 would log addresses with their secrets: a bot's token is a part of a path."""


class NotSent(Exception):
    """A target did not take a message. The reason is left out: it may contain the address."""


def targets() -> dict[str, str]:
    """Return the addresses by their digests, which name them in the database and in the log."""
    return {digest(url): url for url in settings.NOTIFY_URLS}


def digest(url: str) -> str:
    """Return the first characters of the address's SHA-256."""
    return hashlib.sha256(url.encode()).hexdigest()[:DIGEST_LENGTH]


def is_valid(url: str) -> bool:
    """Return whether Apprise knows this kind of address and can read it."""
    return _apprise(url) is not None


def send(url: str, title: str, body: str) -> None:
    """Send one message. Raises `NotSent` if the target does not take it."""
    try:
        target = _apprise(url)
        is_sent = target is not None and target.notify(body=body, title=title)
    except Exception as error:  # noqa: BLE001  # a service's own, which may quote the address
        raise NotSent(f"{type(error).__name__} in Apprise") from None
    if not is_sent:
        raise NotSent("the target did not take it" if target else "its address is not valid")


@cache
def _apprise(url: str) -> "Apprise | None":
    """Return a sender to this address; None if it is not valid.

    Apprise is imported here because it loads more than a hundred services, which only a process
    that sends needs.
    """
    from apprise import Apprise, AppriseAsset

    for name, level in QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    asset = AppriseAsset(app_id="Argo", app_desc="Argo", async_mode=False, secure_logging=True)
    made = Apprise(asset=asset)
    return made if made.add(url) else None
