"""Each line of the design's Monitoring, Best Practices and Troubleshooting has its answer."""

import re
import shlex
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from argo.api import api
from argo.logs.areas import AREAS
from argo.metrics.summary import Summary
from tests.argo.metrics.test_metrics import names
from tests.manual.blocks import documents
from tests.manual.test_explained import checks
from tests.manual.words import cells

pytestmark = pytest.mark.django_db
HEADING = "question"
MONITORING = (
    "Generation Rate: Signals per second",
    "Storage Latency: Time to store signal",
    "Sync Success Rate: Alpine backend sync success",
    "Execution Rate: Signals executed vs skipped",
    "Outcome Tracking: Win rate, average P&L",
)
LOGGING = (
    "Signal Generation: INFO level",
    "Storage: DEBUG level",
    "Sync: DEBUG level",
    "Execution: INFO level",
    "Errors: ERROR level",
)
BEST_PRACTICES = (
    "Always use async storage",
    "Batch signals",
    "Monitor storage latency to ensure <500ms target",
    "Track signal outcomes",
    "Sync to Alpine",
    "Use connection pooling",
)
TROUBLESHOOTING = (
    "Check database file permissions",
    "Verify connection pool not exhausted",
    "Check batch flush is working",
    "Review error logs",
    "Check batch size (should be 50)",
    "Verify async operations enabled",
    "Check database indexes exist",
    "Monitor connection pool usage",
    "Check network connectivity",
    "Verify Alpine backend is running",
    "Check retry logic is working",
    "Review sync error logs",
)
DESIGN = (*MONITORING, *LOGGING, *BEST_PRACTICES, *TROUBLESHOOTING)
CHECK = re.compile(r"(argo|sync|execution)\.[EIW]\d+")
CALL = re.compile(r"[A-Z]+ /.*")


def table() -> dict[str, list[str]]:
    """Return the codes in the answer to each question; the test of links checks the links."""
    return dict(cells("monitoring", HEADING))


def test_every_line_of_the_design_is_answered_in_its_order() -> None:
    assert list(table()) == list(DESIGN)


@pytest.mark.parametrize("question", DESIGN)
def test_what_an_answer_names_exists(question: str) -> None:
    codes = table()[question]
    assert codes
    kinds = [_kind(code) for code in codes]
    assert all(kinds), dict(zip(codes, kinds, strict=True))


@pytest.mark.parametrize("question", MONITORING)
def test_each_metric_of_the_design_has_a_name_and_is_in_the_summary(question: str) -> None:
    kinds = {_kind(code) for code in table()[question]}
    assert {"metric", "call", "figure"} <= kinds


@pytest.mark.parametrize("question", TROUBLESHOOTING)
def test_each_trouble_has_a_command(question: str) -> None:
    assert "command" in map(_kind, table()[question])


def test_an_answer_that_does_not_exist_is_noticed() -> None:
    wrong = (
        "argo_nothing",
        "argo nothing",
        "argo doctor --nothing",
        "GET /api/nothing",
        "argo.W999",
    )
    assert [_kind(code) for code in wrong] == [""] * len(wrong)


def test_every_check_of_the_doctor_that_the_table_names_is_explained() -> None:
    rows = re.findall(r"`argo doctor`: \[([^\]]+)\]\(recover\.md#the-doctor\)", _text())
    named = {name for row in rows for name in row.split(", ")}
    assert len(named) > 10
    assert named <= {code for codes in dict(cells("recover", "check")).values() for code in codes}


def _text() -> str:
    return documents()["monitoring"].read_text(encoding="utf-8")


def _kind(code: str) -> str:
    """Return what a code of the table is; empty if there is no such thing."""
    return next((kind for kind, is_one in _KINDS if is_one(code)), "")


def _is_metric(code: str) -> bool:
    return code in names()


def _is_command(code: str) -> bool:
    program, *words = shlex.split(code)
    if program != "argo" or not words or words[0] not in get_commands():
        return False
    made = load_command_class(str(get_commands()[words[0]]), words[0])
    try:
        made.create_parser("manage.py", words[0]).parse_args(words[1:])
    except CommandError:
        return False
    return True


def _is_call(code: str) -> bool:
    return bool(CALL.fullmatch(code)) and code in set(_calls())


def _calls() -> Iterator[str]:
    for path, operations in api.get_openapi_schema()["paths"].items():
        yield from (f"{method.upper()} {path}" for method in operations)


_KINDS = (
    ("metric", _is_metric),
    ("command", _is_command),
    ("call", _is_call),
    ("figure", lambda code: code in Summary.model_fields),
    ("check", lambda code: bool(CHECK.fullmatch(code)) and code in checks()),
    ("area", lambda code: code in AREAS),
)
