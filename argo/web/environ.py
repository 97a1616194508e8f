"""The WSGI environment of a request."""

import io
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from asgiref.typing import HTTPScope

from argo.web.refusal import REFUSAL, Refusal

OF_THE_TRANSFER = {b"transfer-encoding", b"content-length", b"expect", b"upgrade"}
"""Headers that say how the body comes; the server has used them already."""


def environ(scope: HTTPScope, body: bytes, refusal: Refusal | None) -> dict[str, Any]:
    """Return the environment of a request with this body."""
    server, client = scope["server"] or ("", 0), scope["client"] or ("", 0)
    return {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"] or b"/").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input": io.BytesIO(body),
        REFUSAL: refusal,
        **_variables(scope["headers"]),
    }


def _variables(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers as variables: repeated ones are joined, in the order they came.

    A header with an underscore is left out: as a variable it would look like the one with a hyphen
    that a proxy has set.
    """
    variables: dict[str, str] = {}
    for name, value in headers:
        if name in OF_THE_TRANSFER or b"_" in name:
            continue
        variable, text = _variable(name), value.decode("latin-1")
        if variable in variables:
            text = variables[variable] + ("; " if name == b"cookie" else ",") + text
        variables[variable] = text
    return variables


@lru_cache(maxsize=512)
def _variable(name: bytes) -> str:
    variable = name.decode("latin-1").upper().replace("-", "_")
    return variable if variable == "CONTENT_TYPE" else "HTTP_" + variable
