"""Says what is wrong with a query, field by field."""

from pydantic import ValidationError

from argo.errors import FieldError, InvalidInput
from argo.reports.query import ReportQuery

UNKNOWN = "extra_forbidden"


def invalid(error: ValidationError, prefix: str = "") -> InvalidInput:
    """Return the error for people; the name of each field begins with `prefix`."""
    return InvalidInput(
        [
            FieldError(f"{prefix}{fault['loc'][0]}", _message(fault["type"], fault["msg"]))
            for fault in error.errors()
        ]
    )


def _message(kind: str, message: str) -> str:
    if kind == UNKNOWN:
        return f"is unknown; use {', '.join(ReportQuery.model_fields)}"
    return message.removeprefix("Value error, ")
