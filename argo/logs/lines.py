"""Makes a line of the log: which fields it has, what they may contain, and how it looks."""

import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import orjson
from django.conf import settings
from structlog.contextvars import merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter

from argo.logs.identity import Node, process_name
from argo.logs.secrets import HIDDEN, hider, is_secret_field, known_secrets
from argo.logs.text import cut, escaped, timestamp
from argo.logs.tracebacks import traceback_lines

Fields = MutableMapping[str, Any]
EXTRA = ("request_id", "key_name", "signal_id", "status_code")
"""The fields that a call may add by `extra`; libraries add whole requests by the same way."""
OWN = ("timestamp", "level", "process", "node")
"""The fields that contain nothing from outside."""
LONGEST = {"event": 4000, "exception": 2000}
LONGEST_FIELD = 300
"""Characters; the rest of a longer value is left out."""
LONGEST_READ = 65536
"""Characters of a value that are looked at."""
INDENT = "    | "
"""Begins every line after a record's first one, so that none looks like a record."""
SEPARATOR = "\t"
"""Between a line's text and its fields. A text cannot contain it: there it is escaped."""
_PLAIN = re.compile(r"[\w.:@/+-]+", re.ASCII)


def line_formatter(style: str) -> ProcessorFormatter:
    """Return the formatter of all log lines; `style` is text or json."""
    render = {"text": as_text, "json": as_json}[style]
    node = Node(settings.DATA_DIR)
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, ExtraAdder(EXTRA)],
        processors=[
            arranger(node, process_name(sys.argv)),
            cleaner(hider(known_secrets(settings))),
            render,
        ],
    )


def arranger(node: Node, process: str) -> Callable[[Any, str, Fields], Fields]:
    """Return a processor that puts the fields of a line in order, those that all have first."""

    def arrange(_: object, __: str, fields: Fields) -> Fields:
        record = fields.pop("_record")
        del fields["_from_structlog"]
        event, error = fields.pop("event"), fields.pop("exc_info", None)
        arranged = {
            "timestamp": timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event,
            **{name: fields[name] for name in sorted(fields, key=_place) if fields[name]},
            "process": process,
            "node": node.name,
        }
        if error and error[1] is not None:
            arranged["exception"] = traceback_lines(error)
        return arranged

    return arrange


def cleaner(hide: Callable[[str], str]) -> Callable[[Any, str, Fields], Fields]:
    """Return a processor that hides secrets, escapes control characters and cuts long values."""

    def clean_text(value: object, longest: int) -> str:
        return cut(escaped(hide(_as_text(value)[:LONGEST_READ])), longest)

    def clean(name: str, value: object) -> str | list[str]:
        if name in OWN:
            return str(value)
        longest = LONGEST.get(name, LONGEST_FIELD)
        if isinstance(value, list):
            return [clean_text(line, longest) for line in value]
        return HIDDEN if is_secret_field(name) else clean_text(value, longest)

    def clean_all(_: object, __: str, fields: Fields) -> Fields:
        return {name: clean(name, value) for name, value in fields.items()}

    return clean_all


def as_text(_: object, __: str, fields: Fields) -> str:
    """Return a line for people: time, level, logger and text, then the other fields."""
    head = f"{fields.pop('timestamp')} {fields.pop('level').upper()} {fields.pop('logger')}: "
    event, exception = fields.pop("event"), fields.pop("exception", ())
    rest = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())
    return f"\n{INDENT}".join([f"{head}{event}{SEPARATOR}{rest}", *exception])


def as_json(_: object, __: str, fields: Fields) -> str:
    """Return a line for programs: one JSON object, with a traceback in `exception`."""
    if "exception" in fields:
        fields["exception"] = "\n".join(fields["exception"])
    return orjson.dumps(fields).decode()


def _place(name: str) -> int:
    return EXTRA.index(name) if name in EXTRA else len(EXTRA)


def _as_text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001  # a value must not cost the line
        return f"<a {type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else orjson.dumps(value).decode()
