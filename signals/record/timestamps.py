"""Requests time stamps (RFC 3161), and verifies the answers of authorities."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from signals.record.formats.der import EXPLICIT_0, SEQUENCE, Element, elements, parts
from signals.record.formats.encoding import BadRecord
from signals.record.formats.stamps import parse_stamp

CONTENT_TYPE = "application/timestamp-query"


class StampRequest(NamedTuple):
    """A request, to be posted as CONTENT_TYPE, and the number that the answer repeats."""

    data: bytes
    nonce: int


def stamp_request(message: bytes) -> StampRequest:
    """Return a request to stamp the SHA-256 of a checkpoint as first signed."""
    builder = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.build()
    return StampRequest(request.as_bytes(), request.nonce or 0)


def certificates(pem: bytes) -> list[Certificate]:
    """Return the certificates of a PEM file. Raises BadRecord if there is none in it."""
    try:
        return load_pem_x509_certificates(pem)
    except ValueError as error:
        raise BadRecord(f"this is not a file of certificates in PEM: {error}") from None


class StampVerifier:
    """Verifies answers by the certificates of authorities that the reader trusts."""

    def __init__(self, trusted: Sequence[Certificate]) -> None:
        self._trusted = tuple(trusted)

    def verify(self, answer: bytes, message: bytes, nonce: int | None = None) -> datetime:
        """Return the time of a stamp of `message`. Raises BadRecord if it is not valid."""
        stated = parse_stamp(answer)
        builder = VerifierBuilder(roots=list(self._trusted), nonce=nonce)
        try:
            response = decode_timestamp_response(in_order(answer))
            builder.build().verify_message(response, message)
        except (VerificationError, ValueError, IndexError) as error:
            raise BadRecord(f"the time stamp is not valid: {error}") from None
        if response.tst_info.gen_time.astimezone(UTC) != stated.time:
            raise BadRecord("the time stamp can be read in two ways")
        return stated.time


def check_answer(
    answer: bytes, message: bytes, nonce: int, verifier: StampVerifier | None = None
) -> datetime:
    """Return the time of an answer to our request for a stamp of `message`.

    Without a verifier its signature is not verified. Raises BadRecord if it answers another
    request, or is not valid.
    """
    if verifier is not None:
        return verifier.verify(answer, message, nonce)
    stated = parse_stamp(answer)
    if stated.imprint != hashlib.sha256(message).hexdigest():
        raise BadRecord("the time stamp is of something else")
    try:
        repeated = decode_timestamp_response(in_order(answer)).tst_info.nonce
    except (ValueError, IndexError) as error:
        raise BadRecord(f"the time stamp cannot be read: {error}") from None
    if repeated != nonce:
        raise BadRecord("the time stamp answers another request")
    return stated.time


def in_order(data: bytes) -> bytes:
    """Return the answer with its certificates in the order that DER asks for.

    OpenSSL's authorities do not keep to it, and strict readers refuse their answers. No signature
    covers that order. `parse_stamp` must have accepted the answer.
    """
    (answer,) = elements(data)
    status, token, *rest = parts(answer, SEQUENCE)
    kind, wrapped = parts(token, SEQUENCE)
    signed = [_sorted(each) for each in parts(parts(wrapped, EXPLICIT_0)[0], SEQUENCE)]
    wrapped = Element(EXPLICIT_0, _joined_as(SEQUENCE, signed))
    token = Element(SEQUENCE, b"".join(map(_encoded, (kind, wrapped))))
    return _joined_as(SEQUENCE, [status, token, *rest])


def _sorted(element: Element) -> Element:
    """Return the certificates of signed data in their order; anything else as it is."""
    if element.tag != EXPLICIT_0:
        return element
    return Element(element.tag, b"".join(sorted(map(_encoded, elements(element.content)))))


def _joined_as(tag: int, inner: Iterable[Element]) -> bytes:
    return _encoded(Element(tag, b"".join(map(_encoded, inner))))


def _encoded(element: Element) -> bytes:
    size = len(element.content)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    if size >= 0x80:
        length = bytes([0x80 | len(length)]) + length
    return bytes([element.tag]) + (length or b"\0") + element.content
