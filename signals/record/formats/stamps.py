"""Time stamps (RFC 3161): what an answer says. Its signature is not verified here."""

from datetime import UTC, datetime
from typing import NamedTuple

from signals.record.formats.der import (
    EXPLICIT_0,
    INTEGER,
    OBJECT_ID,
    OCTETS,
    SEQUENCE,
    TIME,
    Element,
    content,
    elements,
    parts,
)
from signals.record.formats.encoding import BadRecord

MOST_STAMP_BYTES = 2**18
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
TST_INFO = bytes.fromhex("2a864886f70d0109100104")
SHA256 = bytes.fromhex("608648016503040201")
GRANTED = (0, 1)


class Stamp(NamedTuple):
    """The time that an authority stated, and the SHA-256 of what it stated it of, in hex."""

    imprint: str
    time: datetime


def parse_stamp(data: bytes) -> Stamp:
    """Return what a time stamp's answer says. Raises BadRecord if it is no granted answer."""
    if len(data) > MOST_STAMP_BYTES:
        raise BadRecord(f"a time stamp has at most {MOST_STAMP_BYTES} bytes")
    try:
        return _stamp(data)
    except (IndexError, ValueError) as error:
        reason = str(error) if isinstance(error, BadRecord) else "it has another structure"
        raise BadRecord(f"is not an answer of a time stamp authority: {reason}") from None


def _stamp(data: bytes) -> Stamp:
    (answer,) = elements(data)
    status, token = parts(answer, SEQUENCE)[:2]
    state = parts(status, SEQUENCE)[0]
    if state.tag != INTEGER or int.from_bytes(state.content, "big") not in GRANTED:
        raise BadRecord("the authority refused")
    kind, wrapped = parts(token, SEQUENCE)[:2]
    signed = parts(wrapped, EXPLICIT_0)[0]
    inner_kind, inner = parts(parts(signed, SEQUENCE)[2], SEQUENCE)[:2]
    if kind != (OBJECT_ID, SIGNED_DATA) or inner_kind != (OBJECT_ID, TST_INFO):
        raise BadRecord("it holds no time stamp")
    (info,) = elements(content(parts(inner, EXPLICIT_0)[0], OCTETS))
    return _info(parts(info, SEQUENCE))


def _info(found: list[Element]) -> Stamp:
    imprint, time = found[2], found[4]
    algorithm, hashed = parts(imprint, SEQUENCE)[:2]
    digest = content(hashed, OCTETS)
    if parts(algorithm, SEQUENCE)[0] != (OBJECT_ID, SHA256) or len(digest) != 32:
        raise BadRecord("its imprint is not a SHA-256 hash")
    text = content(time, TIME).decode("ascii")
    form = "%Y%m%d%H%M%S.%fZ" if "." in text else "%Y%m%d%H%M%SZ"
    return Stamp(digest.hex(), datetime.strptime(text, form).replace(tzinfo=UTC))
