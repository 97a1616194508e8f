"""Pages of other origins may call the API only if their origin is named, and bring no login."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from argo.environment import Environment
from signals.keys import create_key
from tests.installation import Installation

pytestmark = pytest.mark.django_db
ORIGIN = "https://charts.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-api-key,content-type",
}
SCRIPT = """
from django.test import Client
for origin in ("https://charts.example", "https://evil.example", "null"):
    for path in ("/api/health", "/docs/"):
        answer = Client().get(path, headers={"Origin": origin})
        print(path, origin, answer.get("Access-Control-Allow-Origin"),
              answer.get("Access-Control-Allow-Credentials"))
asked = {"Origin": "https://charts.example", "Access-Control-Request-Method": "POST"}
answer = Client().options("/api/signals", headers=asked)
print(answer.status_code, answer["Access-Control-Allow-Headers"])
"""


def test_it_is_off_by_default() -> None:
    client = Client(headers={"X-API-Key": create_key("reader", ["read"]), "Origin": ORIGIN})
    answers = client.get("/api/signals"), client.options("/api/signals", headers=PREFLIGHT)
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_only_named_origins_may_call_the_api_and_nothing_else(installation: Installation) -> None:
    installation.settings["CORS_ALLOWED_ORIGINS"] = f"{ORIGIN}, http://localhost:3000"
    installation.settings["ARGO_ALLOWED_HOSTS"] = "testserver"
    done = installation.manage("shell", "--verbosity", "0", "-c", SCRIPT)
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"/api/health {ORIGIN} {ORIGIN} None", f"/docs/ {ORIGIN} None None"]
    assert all(line.endswith(" None None") for line in lines[2:6])
    assert lines[6].startswith("200 ")
    assert {"x-api-key", "idempotency-key", "if-none-match"} <= set(lines[6][4:].split(", "))


@pytest.mark.parametrize(
    "text",
    ["*", "null", "https://a.example/", "https://A.example", "a.example", "ftp://a.example",
     "https://*.example", "https://a.example https://b.example"],
)  # fmt: skip
def test_what_is_no_exact_origin_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", f"https://ok.example,{text}")
    with pytest.raises(ImproperlyConfigured, match="CORS_ALLOWED_ORIGINS"):
        Environment().origins("CORS_ALLOWED_ORIGINS", "")
