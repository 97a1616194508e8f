"""System checks that report unsafe or impossible sync settings before anything is sent."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from argo.errors import InvalidInput
from signals.management.command import OWN_CHECKS
from signals.record.formats.encoding import BadRecord
from signals.record.proving.checkpoints import quorum
from sync.targets import is_valid


@register(OWN_CHECKS)
def key_travels_in_the_open(**_: object) -> list[CheckMessage]:
    """Warn if the key goes over plain HTTP, where others on the network can read it."""
    address = urlsplit(settings.ALPINE_ENDPOINT)
    if not settings.ALPINE_API_KEY or address.scheme == "https" or _is_local(address.hostname):
        return []
    return [
        Warning(
            f"The Alpine key is sent to {address.hostname} over plain HTTP.",
            hint="Set ALPINE_ENDPOINT to an https:// address, or to a tunnel on this machine.",
            id="sync.W001",
        )
    ]


@register(OWN_CHECKS)
def key_can_be_sent(**_: object) -> list[CheckMessage]:
    """Report a key that an HTTP header cannot hold: only printable ASCII fits."""
    key = settings.ALPINE_API_KEY
    if key.isascii() and (key.isprintable() or not key) and key == key.strip():
        return []
    hint = "Copy the key again, without spaces or line breaks around it."
    return [Error("ALPINE_API_KEY contains invalid characters.", hint=hint, id="sync.E001")]


@register(OWN_CHECKS)
def endpoint_can_be_reached(**_: object) -> list[CheckMessage]:
    """Report an address to which no request can be made; at run time it would look like an
    outage without end."""
    try:
        requests.Request("POST", settings.ALPINE_ENDPOINT).prepare()
        address = urlsplit(settings.ALPINE_ENDPOINT)
        if not (address.username or address.password or address.fragment or address.port == 0):
            return []
    except (requests.RequestException, ValueError):
        pass
    hint = "Use https://HOST/PATH or https://HOST:PORT/PATH, without a user, a password or a #."
    return [Error("ALPINE_ENDPOINT is not a valid address.", hint=hint, id="sync.E002")]


@register(OWN_CHECKS, Tags.database)
def sync_is_off(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Warn if nothing is sent to Alpine; only before Argo starts."""
    if not databases or settings.ALPINE_API_KEY:
        return []
    hint = "Set ALPINE_API_KEY. Until then deliveries wait in the queue."
    text = "Sync with Alpine is off: ALPINE_API_KEY is empty."
    return [Warning(text, hint=hint, id="sync.W002")]


@register(OWN_CHECKS, Tags.database)
def targets_are_valid(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Report addresses of NOTIFY_URLS that Apprise does not know; by their place, as secrets.

    It runs with the checks of the database only, because Apprise takes a second to load.
    """
    hint = "See https://appriseit.com/services/ for its form. Separate addresses with spaces."
    return [
        Error(f"Address {place} of NOTIFY_URLS is not valid.", hint=hint, id="sync.E003")
        for place, url in enumerate(settings.NOTIFY_URLS if databases else (), 1)
        if not is_valid(url)
    ]


@register(OWN_CHECKS)
def witnesses_are_valid(**_: object) -> list[CheckMessage]:
    """Report witnesses that cannot be read: no checkpoint would be cosigned."""
    try:
        quorum()
    except InvalidInput as error:
        hint = "Write each as `<verifier key> <address>`, and separate them with commas."
        return [Error(str(error), hint=hint, id="sync.E004")]
    return []


@register(OWN_CHECKS, Tags.database)
def authorities_are_valid(
    databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Report time stamp authorities that cannot be asked, and certificates that cannot be read.

    The library of time stamps takes 0.1 s to load: only the checks before a start need it.
    """
    if not databases or not settings.RECORD_STAMP_AUTHORITIES:
        return []
    from sync.record.timestamps import verifier

    faults = [
        f"{url!r} in RECORD_STAMP_AUTHORITIES is not an address."
        for url in settings.RECORD_STAMP_AUTHORITIES
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname
    ]
    try:
        verifier()
    except (BadRecord, OSError) as error:
        faults.append(f"RECORD_STAMP_CERTIFICATES cannot be read: {error}.")
    hint = "Use https://HOST/PATH, and a file of certificates in PEM."
    return [Error(fault, hint=hint, id="sync.E005") for fault in faults]


def _is_local(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
