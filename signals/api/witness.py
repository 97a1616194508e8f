"""The addresses of Argo as a witness (C2SP tlog-witness). They need no key: a request brings
a checkpoint that its log has signed."""

import logging

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from signals.clock import utc_now
from signals.record.submission import MOST_SUBMISSION_BYTES, SIZE_TYPE
from signals.witness.cosigning import OtherSize, Refused, cosign, last_cosigned
from signals.witness.keys import signer

logger = logging.getLogger(__name__)
TEXT = "text/plain; charset=utf-8"
NO_WITNESS = "This Argo is no witness: its owner makes it one with witness --create NAME."


@csrf_exempt
def add_checkpoint(request: HttpRequest) -> HttpResponse:
    """Cosign a checkpoint: 200 with the signature line, or why it is refused."""
    if request.method != "POST":
        return _text("Send the checkpoint with POST.", 405, Allow="POST")
    if (key := signer()) is None:
        return _text(NO_WITNESS, 404)
    body = request.body
    if len(body) > MOST_SUBMISSION_BYTES:
        return _text(f"A request has at most {MOST_SUBMISSION_BYTES} bytes.", 413)
    try:
        return _text(str(cosign(body, key, utc_now())), 200)
    except OtherSize as error:
        return HttpResponse(f"{error.size}\n", status=error.status, content_type=SIZE_TYPE)
    except Refused as error:
        logger.info("Refused a checkpoint with %d: %s", error.status, error)
        return _text(str(error), error.status)
    except DatabaseError:
        logger.exception("A checkpoint could not be stored")
        return _text("The database does not answer: try again.", 503, **{"Retry-After": "5"})


def checkpoint(request: HttpRequest, digest: str) -> HttpResponse:
    """Show the last cosigned checkpoint of a log."""
    if request.method not in ("GET", "HEAD"):
        return _text("The checkpoint is read with GET.", 405, Allow="GET, HEAD")
    found = last_cosigned(digest)
    if found is None:
        return _text("This witness has cosigned no checkpoint of such a log.", 404)
    return _plain(found, 200, **{"Cache-Control": "no-store"})


def _text(line: str, status: int, **headers: str) -> HttpResponse:
    return _plain(f"{line}\n", status, **headers)


def _plain(text: str, status: int, **headers: str) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type=TEXT, headers=headers)
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log it again
    return response
