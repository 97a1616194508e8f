"""Every refusal under /api/ has one form, also if no call was found for the request."""

import pytest
from django.test import Client
from werkzeug.test import Client as WerkzeugClient

from argo.wsgi import application
from signals.keys import create_key

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/", 404),
        ("GET", "/api/signal", 404),
        ("GET", "/api/signals/", 404),
        ("GET", "/api/signals/a%2Fb", 404),
        ("GET", "/api/signals/a%2Fb/verify", 404),
        ("GET", "/api/instruments/A%0AB", 404),
        ("GET", "/api/%FF", 404),
        ("DELETE", "/api/signals", 405),
        ("PATCH", "/api/signals", 405),
        ("OPTIONS", "/api/execution/halt", 405),
        ("PUT", "/api/signals/a/outcome", 405),
        ("NONE", "/api/health", 405),
    ],
)
def test_what_is_no_call_is_refused_as_calls_refuse(method: str, path: str, status: int) -> None:
    answer = Client().generic(method, path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    assert answer.json().keys() == {"detail", "errors"}
    assert ("Allow" in answer) == (status == 405)


def test_a_wrong_host_is_refused_as_calls_refuse() -> None:
    answer = Client(headers={"Host": "evil.example"}).get("/api/health")
    assert (answer.status_code, answer.json()["errors"]) == (400, [])
    assert "evil" not in answer.content.decode()


def test_other_pages_are_refused_as_pages() -> None:
    assert Client().get("/nowhere")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/signals", "/api/signals/stats", "/api/execution/orders"])
def test_thousands_of_parameters_are_refused(path: str) -> None:
    client = Client(headers={"X-API-Key": create_key("reader", ["read"])})
    answer = client.get(f"{path}?{'&'.join(f'p{number}=1' for number in range(1001))}")
    assert answer.status_code == 422
    assert "parameters" in answer.json()["detail"]


NAMED = ["hex", "rot13", "undefined", "idna", "utf-16", "nothing"]
CONTENT_TYPES = [f"text/plain; charset={name}" for name in NAMED]
CONTENT_TYPES += ["text/plain; a*=nothing''x", "text/plain; a*=undefined''x", ";;;"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_no_name_of_an_encoding_is_believed(content_type: str) -> None:
    """A request may name encodings that are not of text; Argo reads UTF-8."""
    client = WerkzeugClient(application)
    for path in ("/api/signals", "/api/docs", "/docs/", "/admin/login/", "/nope"):
        address = f"{path}?limit=%C3%A4&next=%C3%A4"
        plain, named = client.get(address), client.get(address, content_type=content_type)
        assert named.status_code == plain.status_code < 500, path
