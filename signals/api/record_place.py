"""Endpoint of a signal's place in the public record."""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from ninja import Router, Schema

from argo.errors import NotFound
from signals.api.auth import reader
from signals.api.schemas import Refused
from signals.ledger.queries import row_of
from signals.record.proving.place import Place, place_of

router = Router(tags=["signals"])


class PlaceOut(Schema):
    """The entry of a signal in the public record. The signal was entered after `made_after` and
    existed by `existed_by`, as witnesses have signed; null if that is not proved."""

    entry: int
    kind: Literal["signal", "history"]
    at: datetime
    signed_size: int | None
    made_after: datetime | None
    existed_by: datetime | None


@router.get(
    "/{signal_id}/record",
    auth=reader,
    response={200: PlaceOut, 404: Refused},
    summary="The place of a signal in the public record",
)
def get_place(request: HttpRequest, signal_id: str) -> Place:
    """Return the entry of a signal, the first signed checkpoint that holds it, and between which
    moments it was made. To prove it to others, run `prove_signal`."""
    found = place_of(row_of(signal_id))
    if found is None:
        raise NotFound(f"The signal {signal_id} is not in a public record.")
    return found
