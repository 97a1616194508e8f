"""System checks: what would make sending unsafe is said before anything is sent."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def key_travels_in_the_open(**_: object) -> list[CheckMessage]:
    """Over plain HTTP, whoever is on the way reads the key."""
    address = urlsplit(settings.ALPINE_ENDPOINT)
    if not settings.ALPINE_API_KEY or address.scheme == "https" or _is_here(address.hostname):
        return []
    return [
        Warning(
            f"The key to Alpine travels to {address.hostname} over plain HTTP.",
            hint="Name an https:// address in ALPINE_ENDPOINT, or a tunnel on this machine.",
            id="sync.W001",
        )
    ]


@register()
def key_can_be_sent(**_: object) -> list[CheckMessage]:
    """A header takes printable ASCII and nothing else."""
    key = settings.ALPINE_API_KEY
    if key.isascii() and (key.isprintable() or not key) and key == key.strip():
        return []
    hint = "Copy the key again, without spaces or line breaks around it."
    return [Error("ALPINE_API_KEY holds characters that no key has.", hint=hint, id="sync.E001")]


@register()
def endpoint_can_be_reached(**_: object) -> list[CheckMessage]:
    """An address that no request can be made to would look like an outage for ever."""
    try:
        requests.Request("POST", settings.ALPINE_ENDPOINT).prepare()
        address = urlsplit(settings.ALPINE_ENDPOINT)
        if not (address.username or address.password or address.fragment or address.port == 0):
            return []
    except (requests.RequestException, ValueError):
        pass
    hint = "It is https://HOST/PATH, or with :PORT, and holds neither user nor password nor #."
    return [Error("ALPINE_ENDPOINT is not an address to send to.", hint=hint, id="sync.E002")]


def _is_here(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
