"""Reads lines from bodies, standard input and files, with their numbers and within limits."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from signals.intake.parsing import MAX_ITEM_BYTES, TOO_LONG, BadBody, parse_json
from signals.intake.text import HEAD_BYTES, check_encoding, without_bom

Numbered = tuple[int, Any]
SKIPPED_AT_ONCE = 65536


def read_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | BadBody]]:
    """Yield each line that is not blank, with its number from 1; a line too long is a BadBody.

    A line ends with LF, CR LF or CR. Raises BadBody if the text is in another encoding.
    """
    number = 0
    while line := file.readline(MAX_ITEM_BYTES + 1):
        if number == 0:
            _check_start(line)
        if len(line) > MAX_ITEM_BYTES and not line.endswith(b"\n"):
            number += 1
            yield number, _too_long(file)
            continue
        for part in line.splitlines():
            number += 1
            if without_bom(part).strip():
                yield number, part


def parse_lines(file: BinaryIO, *, nan: bool = False) -> Iterator[Numbered]:
    """Yield the JSON value of each line with its number; one that cannot be read is a BadBody."""
    for number, line in read_lines(file):
        yield number, line if isinstance(line, BadBody) else parse_line(line, nan=nan)


def parse_line(line: bytes, *, nan: bool = False) -> Any:  # noqa: ANN401  # any JSON
    """Return the JSON value of a line, or the BadBody that says why there is none."""
    try:
        return parse_json(line, nan=nan)
    except BadBody as bad:
        return bad


def _check_start(line: bytes) -> None:
    try:
        check_encoding(line[:HEAD_BYTES])
    except ValueError as error:
        raise BadBody.because(str(error)) from None


def _too_long(file: BinaryIO) -> BadBody:
    """Skip the rest of a line that is too long."""
    while (more := file.readline(SKIPPED_AT_ONCE)) and not more.endswith(b"\n"):
        pass
    return BadBody.because(TOO_LONG)
