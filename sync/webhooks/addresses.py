"""Which addresses events may go to: none inside the machine's own networks, unless it is allowed.

Without this, who may make a subscription could reach services that trust their own network. The
address that is connected to is checked itself, after the name was resolved, at every attempt: a
name may resolve to another one each time.
"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from argo.errors import FieldError, InvalidInput

Address = IPv4Address | IPv6Address
INSIDE: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "168.63.129.16/32",  # Azure's metadata
    "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
    "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)))  # fmt: skip
"""Loopback, private, shared, link-local, unique-local, multicast and reserved networks (IANA)."""
NAT64 = ip_network("64:ff9b::/96")
COMPATIBLE = ip_network("::/96")
LONGEST_URL = 2000


class InsideAddress(Exception):
    """An address inside the machine's own networks, which is not allowed."""


def check_address(text: str, host: str, allowed: Collection[str]) -> None:
    """Raise `InsideAddress` if events for `host` may not go to this IP address."""
    if is_allowed(host, allowed):
        return
    address = ip_address(text.partition("%")[0])
    if is_inside(address):
        raise InsideAddress(refusal(host, str(address)))


def refusal(host: str, address: str) -> str:
    """Return why events for `host` do not go to this address, and what to do."""
    return (
        f"{host} is at {address}, inside this machine's own networks. If that is meant, add "
        f"{host} to WEBHOOK_ALLOWED_HOSTS."
    )


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Return whether the operator allows this host by its name, wherever it is."""
    return host.lower().strip("[]") in allowed


def is_inside(address: Address) -> bool:
    """Return whether the address, or the IPv4 address that it stands for, is not a public one."""
    if not address.is_global or address.is_multicast:
        return True
    if isinstance(address, IPv6Address) and any(map(is_inside, _embedded(address))):
        return True
    return any(address in network for network in INSIDE if network.version == address.version)


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address leads to."""
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64 or address in COMPATIBLE:
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [each for each in found if each is not None]


def checked_url(url: str, allowed: Collection[str]) -> str:
    """Return the address of a receiver, without spaces around it.

    Raises InvalidInput, with what to do, if nothing could be sent there.
    """
    url = url.strip()
    if fault := _fault(url, allowed):
        raise InvalidInput([FieldError("url", fault)])
    return url


def _fault(url: str, allowed: Collection[str]) -> str | None:
    if len(url) > LONGEST_URL:
        return f"is longer than {LONGEST_URL} characters"
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return "has characters that no address has: write a name in its xn-- form, others as %XX"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"is not an address: {error}"
    return _fault_of_parts(parts, port, allowed)


def _fault_of_parts(parts: SplitResult, port: int | None, allowed: Collection[str]) -> str | None:
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "must be https://HOST/PATH"
    if parts.username is not None or parts.password is not None:
        return "must not contain a user or a password"
    if parts.fragment:
        return "must not contain a #"
    if is_allowed(host, allowed):
        return None
    if parts.scheme == "http":
        return (
            "must begin with https://: others could read it. Only a host of "
            "WEBHOOK_ALLOWED_HOSTS may have http://"
        )
    return _fault_of_literal(host)


def _fault_of_literal(host: str) -> str | None:
    """Return what is wrong with an IP address in place of a name; the name is checked later."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return refusal(host, str(address)) if is_inside(address) else None
