"""Checks the settings of a sender before they are stored."""

from collections.abc import Mapping
from typing import Any

import orjson

from argo.errors import FieldError, InvalidInput
from signals.alerts.mapping import mapping_of
from signals.ledger.validation import check_symbol
from signals.models import Sender

LONGEST_NAME = 100
NULLABLE = ("max_lag", "expected_every")
"""Settings that may be empty."""


def check_sender(sender: Sender) -> None:
    """Raise InvalidInput with every fault of a sender's settings."""
    faults = [*_name_faults(sender.name), *_symbol_faults(sender.symbols), *_figures(sender)]
    unstorable = _text_faults(mapping=sender.mapping, symbols=sender.symbols)
    if faults := faults + (unstorable or _mapping_faults(sender)):
        raise InvalidInput(faults)


def refuse_nulls(settings: Mapping[str, Any]) -> None:
    """Raise InvalidInput for settings that are None and must have a value."""
    nulls = [name for name, value in settings.items() if value is None and name not in NULLABLE]
    if nulls:
        raise InvalidInput([FieldError(name, "must have a value") for name in nulls])


def _name_faults(name: str) -> list[FieldError]:
    is_plain = 0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()
    is_plain &= not set(name) & {"/", "\\"} and bool(name.strip("."))  # it is in addresses
    text = f"must be 1 to {LONGEST_NAME} printable characters without a slash, and not only dots"
    return [] if is_plain else [FieldError("name", text)]


def _symbol_faults(symbols: object) -> list[FieldError]:
    if not isinstance(symbols, Mapping):
        return [FieldError("symbols", 'must be a JSON object such as {"GOLD": "XAUUSD"}')]
    return [fault for sent, own in symbols.items() for fault in _symbol_fault(sent, own)]


def _symbol_fault(sent: str, own: object) -> list[FieldError]:
    try:
        check_symbol(own if isinstance(own, str) else "")
    except InvalidInput as error:
        return [FieldError(f"symbols.{sent[:50]}", error.errors[0].message)]
    return []


def _figures(sender: Sender) -> list[FieldError]:
    """Return the figures that are out of their range; NaN is."""
    year = 366 * 86400.0
    ranges = (
        ("confidence", sender.confidence, 0.0, 100.0),
        ("dedup_window", sender.dedup_window, 0.0, 86400.0),
        ("max_lag", sender.max_lag, 1.0, year),
        ("expected_every", sender.expected_every, 1.0, year),
    )
    return [
        FieldError(name, f"must be {least:g} to {most:g}")
        for name, value, least, most in ranges
        if value is not None and not least <= value <= most
    ]


def _text_faults(**settings: object) -> list[FieldError]:
    """Return the settings whose texts no database can store: with NUL, or half a character."""
    return [
        FieldError(name, "has a text with a NUL or half a character")
        for name, value in settings.items()
        if not _is_storable(value)
    ]


def _is_storable(value: object) -> bool:
    try:
        return b"\\u0000" not in orjson.dumps(value)
    except TypeError:
        return False


def _mapping_faults(sender: Sender) -> list[FieldError]:
    if not isinstance(sender.mapping, dict):
        return [FieldError("mapping", "must be a JSON object")]
    try:
        mapping_of(sender.preset, sender.mapping)
    except InvalidInput as error:
        return [_in_mapping(fault) for fault in error.errors]
    return []


def _in_mapping(fault: FieldError) -> FieldError:
    name = fault.field if fault.field == "preset" else f"mapping.{fault.field}"
    return FieldError(name, fault.message)
