"""A WSGI application that answers with what it got, for both servers."""

import json
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse

SHOWN = (
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "SERVER_NAME",
    "SERVER_PORT", "REMOTE_ADDR", "wsgi.url_scheme",
)  # fmt: skip


def application(variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    path = variables["PATH_INFO"]
    body = variables["wsgi.input"].read()
    if path == "/stream":
        start("200 OK", [("Content-Type", "text/plain")])
        return iter([b"one ", b"two ", b"three"])
    if path == "/nothing":
        start("204 No Content", [])
        return []
    shown = {name: variables.get(name, "") for name in SHOWN}
    shown |= {name: value for name, value in variables.items() if name.startswith("HTTP_")}
    text = json.dumps(shown | {"body": body.decode("latin-1")}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
    start("200 OK", [*headers, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [text]
