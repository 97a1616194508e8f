"""What a report may be asked for: the filters of signals, and a period by its name."""

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from django.conf import settings
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from argo.reports.periods import FORMS, period_of
from execution.analysis.selection import DecidedSelection

_SOME_DAY = date(2000, 1, 1)


def _is_period(text: str) -> str:
    period_of(text, _SOME_DAY)
    return text


PeriodName = Annotated[str, AfterValidator(_is_period)]


class ReportQuery(DecidedSelection):
    """Selects the signals of a report."""

    period: PeriodName | None = Field(
        None, description=f"In place of `since` and `until`: {FORMS}, in the account's time zone"
    )

    @field_validator("period")
    @classmethod
    def _alone(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and (info.data.get("since") or info.data.get("until")):
            raise ValueError("cannot be combined with since or until")
        return value

    def selection(self, now: datetime) -> DecidedSelection:
        """Return the selection of signals, with the times of the period as it is at `now`."""
        given = self.model_dump(exclude_none=True, include=set(DecidedSelection.model_fields))
        if self.period is not None:
            period = period_of(self.period, today(now))
            given["since"], given["until"] = period.times(zone())
        return DecidedSelection.model_validate(given)


def zone() -> ZoneInfo:
    """Return the time zone of the account's days."""
    return ZoneInfo(settings.TRADING_ZONE)


def today(now: datetime) -> date:
    """Return the calendar day at `now` in that zone."""
    return now.astimezone(zone()).date()
