"""Clients of each group, and what the tests of Argo's pages look for."""

import re

from django.contrib.auth.models import Group, User
from django.test import Client

from argo.groups import VIEWER, make_groups
from tests.hostile import PLAIN_TEXT

INLINE = re.compile(r"<style|\sstyle=|<[^>]*\son\w+=|<script(?![^>]*(?:src=|application/json))")
"""What the content policy of a page would block."""
HOSTILE = PLAIN_TEXT


def client_of(group: str = VIEWER) -> Client:
    """Return a client that a new member of this group is logged in with."""
    make_groups()
    user = User.objects.create_user(f"one-{group}", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, address: str) -> str:
    """Return the page, which must be answered and have nothing that its policy blocks."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    text = answer.content.decode()
    assert not INLINE.search(text), f"{address}: {INLINE.search(text)}"
    return text
