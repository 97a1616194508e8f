"""The network address of a client, behind proxies too."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.http import HttpRequest

Network = IPv4Network | IPv6Network
CLIENT_PREFIX = 64
"""Bits of an IPv6 address that belong to one client: it can choose the rest."""


def client_of(request: HttpRequest, proxies: Sequence[Network]) -> str:
    """Return the address of the client, of IPv6 its network.

    `X-Forwarded-For` is believed only as far as trusted proxies have written it, from its end.
    """
    hops = [request.META.get("REMOTE_ADDR", "")]
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    hops += [hop.strip() for hop in reversed(forwarded) if hop.strip()]
    for hop, following in zip(hops, [*hops[1:], None], strict=True):
        if following is None or not _is_one_of(hop, proxies):
            return _client(hop)
    return ""


def _is_one_of(text: str, proxies: Sequence[Network]) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in proxies)


def _client(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, IPv6Address):
        return str(ip_network((address, CLIENT_PREFIX), strict=False))
    return str(address)
