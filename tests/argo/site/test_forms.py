"""Who hears a form read aloud knows what each of its fields takes."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from argo.groups import ADMINISTRATOR
from tests.argo.pages import client_of, shown

pytestmark = pytest.mark.django_db
FIELDS = ("input", "select", "textarea")
TAKES_NOTHING = ("hidden", "submit", "button")


class Fields(HTMLParser):
    """The fields of a page that a person fills in, and what its labels are for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.nameless: set[str] = set()
        self.labelled: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "label":
            self.labelled.add(given.get("for") or "")
        elif tag in FIELDS and given.get("type") not in TAKES_NOTHING and "aria-label" not in given:
            self.nameless.add(given.get("id") or str(given.get("name")))


def forms(client: Client) -> Iterator[str]:
    """Yield the address of each form that makes a row, and of the user's own row."""
    user = client.get("/").wsgi_request.user
    request = RequestFactory().get("/")
    request.user = user
    for model, page in admin.site._registry.items():
        if page.has_add_permission(request):
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    yield reverse("admin:auth_user_change", args=[user.pk])


def test_every_field_of_a_form_has_a_label() -> None:
    client = client_of(ADMINISTRATOR)
    addresses = list(forms(client))
    assert len(addresses) > 5
    for address in addresses:
        fields = Fields(shown(client, address))
        assert fields.nameless - fields.labelled == set(), address
