"""Reads what comes in, the same at every door: bytes to JSON objects, within limits."""

from signals.intake.body import BodyTooLarge, CountedStream
from signals.intake.lines import parse_line, parse_lines, read_lines
from signals.intake.parsing import MAX_ITEM_BYTES, BadBody, parse_array, parse_json, repeats_refused
from signals.intake.text import check_encoding, without_bom

__all__ = [
    "MAX_ITEM_BYTES",
    "BadBody",
    "BodyTooLarge",
    "CountedStream",
    "check_encoding",
    "parse_array",
    "parse_json",
    "parse_line",
    "parse_lines",
    "read_lines",
    "repeats_refused",
    "without_bom",
]
