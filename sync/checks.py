"""System checks: what would make sending unsafe is said before anything is sent."""

from ipaddress import ip_address
from urllib.parse import urlsplit

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


def _is_here(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
