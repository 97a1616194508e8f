"""Signals with an outcome, and calls that read and change it."""

import json
from typing import Any

from django.test import Client

from signals.config import journal
from signals.models import OutcomeChange
from signals.tracker import SignalTracker
from tests.samples import a_signal

JSON = "application/json"
WIN = {"outcome": "win", "exit_price": 158.0, "why": "target reached"}
"""An edit of a signal that buys at 150.5."""


def a_stored(**changes: Any) -> str:  # noqa: ANN401
    """Return the id of a signal that was just stored; it buys at 150.5."""
    return SignalTracker("test").log_signal(a_signal(**changes))


def path_of(signal_id: str) -> str:
    return f"/api/signals/{signal_id}/outcome"


def get(client: Client, signal_id: str) -> dict[str, Any]:
    answer = client.get(path_of(signal_id))
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    assert answer["ETag"] == found["etag"]
    return found


def send(client: Client, signal_id: str, edit: object, tag: str | None = "*") -> Any:  # noqa: ANN401
    """PATCH the outcome; without the header if `tag` is None. `edit` may be the body itself."""
    body = edit if isinstance(edit, str) else json.dumps(edit)
    headers = {} if tag is None else {"If-Match": tag}
    return client.patch(path_of(signal_id), body, content_type=JSON, headers=headers)


def patch(client: Client, signal_id: str, edit: object = WIN, tag: str = "*") -> dict[str, Any]:
    """PATCH the outcome, which must work; return the answer."""
    answer = send(client, signal_id, edit, tag)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    assert answer["ETag"] == found["etag"]
    return found


def faults(answer: Any) -> dict[str, str]:  # noqa: ANN401
    """Return the messages of a refusal by field."""
    return {each["field"]: each["message"] for each in json.loads(answer.content)["errors"]}


def nothing_changed() -> bool:
    return not OutcomeChange.objects.exists() and b'"change"' not in journal().path.read_bytes()
