"""Reads DER, the encoding of time stamps."""

from collections.abc import Iterator
from typing import NamedTuple

from signals.record.formats.encoding import BadRecord

SEQUENCE, INTEGER, OCTETS, OBJECT_ID, TIME = 0x30, 0x02, 0x04, 0x06, 0x18
EXPLICIT_0 = 0xA0


class Element(NamedTuple):
    """One element: its tag and its content."""

    tag: int
    content: bytes


def parts(element: Element, tag: int) -> list[Element]:
    """Return the elements inside of one with this tag. Raises BadRecord."""
    return list(elements(content(element, tag)))


def content(element: Element, tag: int) -> bytes:
    """Return the content of an element with this tag. Raises BadRecord if it has another."""
    if element.tag != tag:
        raise BadRecord(f"it has the tag {element.tag:#04x} instead of {tag:#04x}")
    return element.content


def elements(data: bytes) -> Iterator[Element]:
    """Yield the elements of some bytes. Raises BadRecord or IndexError if they are cut off."""
    place = 0
    while place < len(data):
        tag, length = data[place], data[place + 1]
        place += 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise BadRecord("it has a length that DER does not allow")
            length = int.from_bytes(data[place : place + count], "big")
            place += count
        if place + length > len(data):
            raise BadRecord("it is cut off")
        yield Element(tag, data[place : place + length])
        place += length
