"""Reads the other side of a comparison: `previous`, or the fields that differ from the first."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from argo.errors import FieldError, InvalidInput
from argo.reports.faults import invalid
from argo.reports.periods import ONE_SECOND, period_of
from argo.reports.query import ReportQuery, today

PREVIOUS = "previous"
OPTION = "--against"
TIMES = frozenset(("since", "until"))


def other_side(query: ReportQuery, texts: Sequence[str], now: datetime) -> ReportQuery:
    """Return the query with these fields in place of its own, each as `name=value`; an empty value
    takes a field away. The text `previous` is the period before that of the query.

    Raises `InvalidInput`.
    """
    found = query.model_dump(exclude_none=True)
    changes = dict(_change(text) for text in texts if text != PREVIOUS)
    if PREVIOUS in texts:
        changes = _previous(query, now) | changes
    if "period" in changes:
        found = {name: value for name, value in found.items() if name not in TIMES}
    if TIMES & changes.keys():
        found.pop("period", None)
    found |= changes
    return _valid({name: value for name, value in found.items() if value != ""})


def _change(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        wanted = f"name=value, such as symbol=MSFT or period=last-month, or {PREVIOUS}"
        raise InvalidInput([FieldError(OPTION, f"{text!r} is not {wanted}")])
    return name.strip().replace("-", "_"), value.strip()


def _previous(query: ReportQuery, now: datetime) -> dict[str, str]:
    """Return the time before that of the query, of the same kind or of the same length."""
    if query.period is not None:
        return {"period": period_of(query.period, today(now)).previous.name}
    if query.since is None or query.until is None:
        wanted = "needs --period, or both --since and --until: without them nothing is before"
        raise InvalidInput([FieldError(f"{OPTION} {PREVIOUS}", wanted)])
    until = query.since - ONE_SECOND
    since = until - (query.until - query.since)
    return {"since": since.isoformat(), "until": until.isoformat()}


def _valid(given: dict[str, object]) -> ReportQuery:
    try:
        return ReportQuery.model_validate(given)
    except ValidationError as error:
        raise invalid(error, f"{OPTION} ") from None
