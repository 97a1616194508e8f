"""The WSGI application that the web server runs."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.urls import get_resolver
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Reads parameters as UTF-8, whatever its Content-Type names: `hex` is an encoding too, and
    fails where Django answers no error."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        line = meta.get("CONTENT_TYPE", "")
        try:
            self.content_type, self.content_params = parse_header_parameters(line)
        except ValueError:
            self.content_type, self.content_params = line.partition(";")[0].strip().lower(), {}


class Handler(WSGIHandler):
    """Django's handler with Argo's requests."""

    request_class = Utf8Request


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "argo.settings")
django.setup(set_prefix=False)
application = Handler()
get_resolver().url_patterns  # noqa: B018  # imports the views: the first request would wait for it
