"""Looks at every page there is, of the API, the dashboard and the admin site."""

import json
from collections.abc import Iterator
from io import StringIO

from django.contrib import admin
from django.core.management import call_command
from django.test import Client

PER_TABLE = 2
"""Rows of each table whose own page is looked at."""


def visit() -> None:
    """As a person who is logged in, and as a program with a key.

    Prints a JSON object: the status of each address.
    """
    program = Client(SERVER_NAME="localhost", raise_request_exception=False)
    addresses = [*api_pages(program)]
    headers = {"X-API-Key": new_key()}
    seen = {each: program.get(each, headers=headers).status_code for each in addresses}
    person = logged_in()
    seen |= {each: person.get(each).status_code for each in [*own_pages(), *admin_pages()]}
    print(json.dumps(seen))


def new_key() -> str:
    answer = StringIO()
    call_command("api_key", create="visitor", scopes=["read,admin"], json=True, stdout=answer)
    key: str = json.loads(answer.getvalue())["key"]
    return key


def logged_in() -> Client:
    from django.contrib.auth.models import User

    person = Client(SERVER_NAME="localhost", raise_request_exception=False)
    person.force_login(User.objects.create_superuser("visitor"))
    return person


def api_pages(client: Client) -> Iterator[str]:
    """Every address of the API that can be read, and those below each signal."""
    from signals.models import Signal

    signal_ids = list(Signal.objects.values_list("signal_id", flat=True))
    for path, methods in client.get("/api/openapi.json").json()["paths"].items():
        if "get" not in methods:
            continue
        if "{signal_id}" in path:
            yield from (path.replace("{signal_id}", each) for each in signal_ids)
        elif "{" not in path:
            yield path


def own_pages() -> Iterator[str]:
    """The dashboard, and the pages of the first signals."""
    from signals.admin.markup import signal_url
    from signals.models import Signal

    yield "/"
    ids = Signal.objects.order_by("pk").values_list("signal_id", flat=True)
    yield from map(signal_url, ids[:PER_TABLE])


def admin_pages() -> Iterator[str]:
    """The list of each table, and the pages of its first and last rows."""
    for model in admin.site._registry:
        folder = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield folder
        keys = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
        chosen = {*keys[:PER_TABLE], *keys[-PER_TABLE:]}
        yield from (f"{folder}{key}/change/" for key in sorted(chosen))
