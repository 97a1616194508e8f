"""Answers that show a secret once."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpResponse

from signals.api.versions import rendered
from signals.ledger.secrets import HIDDEN


def shown_once(answer: Mapping[str, Any], secret: str, code: int = 200) -> HttpResponse:
    """Return the answer as JSON. If it is kept for a repeated request, it is without the field
    `secret`: a secret must not be stored, and is not shown a second time."""
    response = rendered(answer, code)
    response.kept_content = orjson.dumps({**answer, secret: HIDDEN})  # type: ignore[attr-defined]
    return response
