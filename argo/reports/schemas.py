"""The form of reports and comparisons, as the API describes it."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import ConfigDict

from signals.api.json_value import JsonObject

OPEN = ConfigDict(extra="allow")
"""A later version may have more sections and more figures."""


class IntervalOut(Schema):
    """Where the true value probably lies; `level` is 0.95 for 95 percent."""

    low: float
    high: float
    level: float
    method: str


class FigureOut(Schema):
    """A figure; `value` is null if it is undefined, and `null_because` says why.

    `n` is how many cases it counts. `interval` is null if there are too few cases for one.
    """

    value: float | None
    n: int
    interval: IntervalOut | None
    definition: str
    null_because: str | None


class DifferenceOut(FigureOut):
    """The figure of A less that of B. `better` is null if that cannot be told from luck, or if
    neither is better by having more."""

    no_interval_because: str | None
    better: Literal["a", "b"] | None


class ComparedOut(Schema):
    """A figure of both sides."""

    a: FigureOut
    b: FigureOut
    difference: DifferenceOut


class CountOut(Schema):
    """A number of signals of both sides."""

    a: int
    b: int
    difference: int


class SideOut(Schema):
    """What was selected; `account` is the one that traded most of the signals."""

    filter: JsonObject
    origin: str | None
    origins: dict[str, int]
    is_track_record: bool
    account: str | None
    skipped_for: dict[str, int]
    rejected_for: dict[str, int]


class BinOut(Schema):
    """Signals with confidences from `low` to `high`, as shares: their mean confidence, and the
    share that reached the target."""

    low: float
    high: float
    n: int
    confidence: float
    share: float
    interval: IntervalOut | None


class EquityOut(Schema):
    """The figures of an account's equity: beside these fields, one for each."""

    model_config = OPEN
    account: str | None
    days: int
    days_a_year: int


class CalibrationOut(Schema):
    """How good the confidences are: beside these fields, one for each figure.

    `groups` has the figures of each group by its kind and its name."""

    model_config = OPEN
    bins: list[BinOut]
    counted: dict[str, int]
    groups: dict[str, dict[str, dict[str, FigureOut]]]


class RiskRuleOut(Schema):
    """What the signals that a rule of risk skipped would have brought."""

    skipped: int
    cost_pct: FigureOut


class ValidationRuleOut(Schema):
    """What the candidates that a rule of validation rejected would have brought."""

    rejected: int
    cost_pct: FigureOut


class EditOut(Schema):
    """An outcome that was changed after it was set; `at` is in UTC."""

    signal_id: str
    at: str


class ReportOut(Schema):
    """A report. The manual says what is in each section."""

    model_config = OPEN
    headline: str
    made_at: datetime
    version: str
    filter: JsonObject
    origin: str | None
    origins: dict[str, int]
    is_track_record: bool
    counts: JsonObject
    outcomes: dict[str, FigureOut]
    equity: EquityOut
    calibration: CalibrationOut
    sources: JsonObject
    rules: dict[str, RiskRuleOut | ValidationRuleOut]
    what_helped: str | None
    divergence: JsonObject
    groups: dict[str, dict[str, JsonObject]]
    series: dict[str, list[JsonObject]]
    edits: list[EditOut]
    assumptions: list[str]


class ComparisonOut(Schema):
    """Two selections side by side. Each figure has those of both sides, and A less B."""

    model_config = OPEN
    headline: str
    made_at: datetime
    version: str
    a: SideOut
    b: SideOut
    shared_signals: int
    counts: dict[str, CountOut]
    outcomes: dict[str, ComparedOut]
    equity: dict[str, ComparedOut]
    calibration: dict[str, ComparedOut]
    assumptions: list[str]
