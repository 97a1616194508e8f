"""The published record at `/record/`: static files for everybody, if RECORD_PUBLIC is on."""

import re
from functools import cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from signals.record.formats.encoding import BadRecord
from signals.record.formats.tiles import WIDTH, width_of
from signals.record.log.disk import Disk
from signals.record.one_file import source

TILE = re.compile(r"tile/(entries|[0-7])/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)
BESIDE = re.compile(r"checkpoints/[0-9a-f]{64}|stamps/[A-Za-z0-9._-]{1,200}", re.ASCII)
NOT_KEPT = "no-store"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_WHILE = "public, max-age=3600"
"""Of a partial tile: it is deleted once the full one is there."""
PLAIN = "text/plain; charset=utf-8"


@csrf_exempt  # else a POST is answered with a page about cookies
@require_safe
def record_file(request: HttpRequest, path: str) -> HttpResponse:
    """Return one file of the record."""
    if not settings.RECORD_PUBLIC:
        raise Http404("The record is not public: RECORD_PUBLIC is off.")
    if path == "verify.py":
        return _answer(_verifier(), "text/x-python; charset=utf-8", FOR_A_WHILE)
    if path == "checkpoint":
        return _answer(_read(path), PLAIN, NOT_KEPT)
    if BESIDE.fullmatch(path):
        kind = PLAIN if path.startswith("checkpoints/") else "application/timestamp-reply"
        return _answer(_read(path), kind, FOR_EVER)
    return _tile(path)


@cache
def _verifier() -> bytes:
    return source().encode()


def _tile(path: str) -> HttpResponse:
    """Return a tile that the checkpoint covers: what is written beyond it may be written anew."""
    found = TILE.fullmatch(path)
    if found is None:
        raise Http404("There is no such file in a record.")
    level = 0 if found[1] == "entries" else int(found[1])
    index, width = int(found[2].replace("/", "").replace("x", "")), int(found[3] or WIDTH)
    shown = Disk(settings.DATA_DIR).published()
    if shown is None or width > min(width_of(level, index, shown.size), WIDTH):
        raise Http404("The record has not so many entries.")
    kept = FOR_EVER if found[3] is None else FOR_A_WHILE
    return _answer(_read(path), "application/octet-stream", kept)


def _read(path: str) -> bytes:
    try:
        data = Disk(settings.DATA_DIR).folder.read(path)
    except BadRecord as error:
        raise Http404(str(error)) from None
    if data is None:
        raise Http404("The record has no such file.")
    return data


def _answer(data: bytes, content_type: str, kept: str) -> HttpResponse:
    headers = {"Cache-Control": kept, "Access-Control-Allow-Origin": "*"}
    return HttpResponse(data, content_type=content_type, headers=headers)
