"""Events go to public addresses alone, and to hosts that the operator allows by name."""

from ipaddress import ip_address

import pytest

from argo.errors import InvalidInput
from sync.webhooks.addresses import InsideAddress, check_address, checked_url, is_inside

INSIDE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "192.0.2.1",
    "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "2002:7f00:1::",
    "2002:a00:1::1", "2001:0:7f00:1::", "100::1",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111",
           "64:ff9b::808:808", "2002:808:808::1"]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused_in_whatever_form(address: str) -> None:
    assert is_inside(ip_address(address))
    with pytest.raises(InsideAddress, match="WEBHOOK_ALLOWED_HOSTS"):
        check_address(address, "receiver.example", ["other.example"])
    check_address(address, "Receiver.example", ["receiver.example"])


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_taken(address: str) -> None:
    assert not is_inside(ip_address(address))
    check_address(address, "receiver.example", [])


def test_the_zone_of_a_link_local_address_hides_nothing() -> None:
    with pytest.raises(InsideAddress):
        check_address("fe80::1%eth0", "receiver.example", [])


@pytest.mark.parametrize("url", [
    "https://receiver.example/hook", "https://receiver.example:8443/a?b=c", "https://8.8.8.8/",
    " https://receiver.example ", "http://n8n:5678/webhook/1", "http://192.168.1.5/",
    "https://[2606:4700:4700::1111]/",
])  # fmt: skip
def test_an_address_that_events_can_be_sent_to_is_taken(url: str) -> None:
    assert checked_url(url, ("n8n", "192.168.1.5")) == url.strip()


@pytest.mark.parametrize(("url", "why"), [
    ("", "must be https"), ("receiver.example/hook", "must be https"), ("https:///x", "must be"),
    ("ftp://receiver.example/", "must be https"), ("file:///etc/passwd", "must be https"),
    ("http://receiver.example/", "must begin with https"),
    ("https://127.0.0.1/", "inside"), ("https://[::1]/", "inside"),
    ("https://[::ffff:127.0.0.1]/", "inside"), ("http://localhost/", "must begin with https"),
    ("https://user:pass@receiver.example/", "user or a password"),
    ("https://allowed@receiver.example/", "user or a password"),
    ("https://receiver.example/#x", "must not contain a #"),
    ("https://receiver.example:0/", "must be"), ("https://receiver.example:99999/", "Port"),
    ("https://[::1/", "is not an address"), ("https://r\u00e4ceiver.example/", "characters"),
    ("https://receiver.example/\nX: y", "characters"), ("https://a b/", "characters"),
    ("https://receiver.example\\@allowed/", "characters"), ("https://x/" + "a" * 2000, "longer"),
])  # fmt: skip
def test_any_other_address_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        checked_url(url, ("allowed",))
