"""Endpoints under /api/analysis: the report and the comparison.

The modules of figures are imported on demand, because they load pandas, pyarrow and scipy.
"""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from argo.reports.query import ReportQuery
from argo.reports.schemas import ComparisonOut, ReportOut
from argo.reports.turns import report_turn
from signals.api.auth import reader
from signals.api.bodies import refuse_unknown
from signals.clock import utc_now

router = Router(tags=["analysis"])
CSV: dict[str, Any] = {
    "responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
}


class Form(BaseModel):
    """The format of the answer."""

    format: Literal["json", "csv"] = Field("json", description="`csv`: one row for each figure")


class SideA(ReportQuery):
    """Selects the signals of A, by parameters such as `a.symbol`."""

    model_config = ConfigDict(alias_generator=lambda name: f"a.{name}")


class SideB(ReportQuery):
    """Selects the signals of B, by parameters such as `b.symbol`."""

    model_config = ConfigDict(alias_generator=lambda name: f"b.{name}")


@router.get(
    "/report", auth=reader, response=ReportOut, openapi_extra=CSV,
    summary="What signals were worth, and how sure that is",
)  # fmt: skip
def get_report(request: HttpRequest, query: Query[ReportQuery], form: Query[Form]) -> HttpResponse:
    """Return the figures of the signals that the filters select: each with how many cases it
    counts, its interval, its definition, and why it is null. One report is made at a time."""
    from argo.reports.page import report_page
    from argo.reports.report import make_report

    refuse_unknown(request, ReportQuery, Form)
    now = utc_now()
    with report_turn():
        found = make_report(query.selection(now), now)
    return _answer(found, form, report_page)


@router.get(
    "/compare", auth=reader, response=ComparisonOut, openapi_extra=CSV,
    summary="Two filters or periods side by side",
)  # fmt: skip
def get_comparison(
    request: HttpRequest, a: Query[SideA], b: Query[SideB], form: Query[Form]
) -> HttpResponse:
    """Return each figure of both sides, and A less B, with an interval where they are comparable:
    if no signal is on both sides, and each has 30 cases."""
    from argo.reports.compare.comparison import make_comparison
    from argo.reports.compare.page import comparison_page

    refuse_unknown(request, SideA, SideB, Form)
    now = utc_now()
    with report_turn():
        found = make_comparison(a.selection(now), b.selection(now), now)
    return _answer(found, form, comparison_page)


def _answer(found: dict[str, Any], form: Form, page: Any) -> HttpResponse:  # noqa: ANN401
    from argo.reports.downloads import TYPES, encode

    return HttpResponse(encode(form.format, found, page), content_type=TYPES[form.format])
