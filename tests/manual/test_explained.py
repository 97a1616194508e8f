"""The manual explains every code, status, problem, check, call and command that there is."""

import re
from collections.abc import Callable, Collection
from dataclasses import fields
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.test import override_settings

from argo.api import api
from argo.doctor import practices, speed, storing, syncing
from argo.doctor.known import Known
from argo.up import demo, demo_alpine
from argo.up.children import EXECUTION, FLUSH, GENERATION, RECORD, SYNC
from execution.models import Decision
from execution.prop_firm import presets
from execution.prop_firm.rule_set import OFF, RuleSet
from execution.types import ExitReason, HaltCode, OrderState, Reason
from signals.clock import utc_now
from signals.ledger.outcomes import OUTCOMES
from signals.models import DeadLetter
from sync.models import Delivery
from tests.installation import ROOT
from tests.manual.blocks import documents
from tests.manual.problems import codes, dead_links
from tests.manual.words import tables

NAMED = re.compile(r"`((?:argo|signals|sync|execution|tests|templates)/[a-z_/.]*)`")
PROBLEM = re.compile(r"= ProblemKind\(\s*\"([\w.]+)\"")
APPS = ("argo", "signals", "sync", "execution")


def _candidate_reasons() -> set[str]:
    source = ROOT / "signals/generation/validation.py"
    return set(re.findall(r"Gate\(\s*\"(\w+)\"", source.read_text()))


def checks() -> set[str]:
    sources = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    named = (re.findall(r'id="(\w+\.[EIW]\d+)"', path.read_text()) for path in sources)
    return {name for names in named for name in names}


def _calls() -> set[str]:
    paths = api.get_openapi_schema()["paths"]
    return {
        f"{method.upper()} {path}" for path, operations in paths.items() for method in operations
    }


def _doctors_checks() -> set[str]:
    """Return the names of the doctor's checks, for a sync that is off and for one that is on."""
    known = Known(utc_now(), [], None)
    endpoint = "https://alpine.example/api/signals"
    found: set[str] = set()
    for key in ("", "key"):
        with override_settings(ALPINE_API_KEY=key, ALPINE_ENDPOINT=endpoint):
            found |= {each.name for of in (storing, speed, syncing) for each in of.questions(known)}
    return found


def _practices() -> set[str]:
    return {each.name for each in practices.questions(Known(utc_now(), [], None), [])}


EXPLAINED: dict[tuple[str, str], Callable[[], Collection[str]]] = {
    ("trade", "reason"): lambda: list(Reason),
    ("trade", "halt"): lambda: list(HaltCode),
    ("trade", "exit reason"): lambda: list(ExitReason),
    ("trade", "order is"): lambda: list(OrderState),
    ("trade", "decision is"): lambda: Decision.Status.values,
    ("sync", "delivery is"): lambda: Delivery.Status.values,
    ("sync", "sync is"): lambda: ("on", "off", "paused"),
    ("log", "outcome"): lambda: OUTCOMES,
    ("generate", "rejected for"): _candidate_reasons,
    ("generate", "source"): lambda: {path.rpartition(".")[2] for path in settings.SIGNAL_SOURCES},
    ("recover", "problem"): codes,
    ("recover", "check"): _doctors_checks,
    ("recover", "practice"): _practices,
    ("recover", "kind"): lambda: DeadLetter.Kind.values,
    ("prop-firms", "name"): lambda: set(presets.names()) - {OFF},
    ("api", "call"): _calls,
    ("operations", "command"): lambda: [n for n, app in get_commands().items() if app in APPS],
    ("operations", "id"): checks,
    ("start", "process"): lambda: (
        ["web", "pages", "beat", demo.NAME, demo_alpine.NAME]
        + [each.name for each in (FLUSH, SYNC, EXECUTION, GENERATION, RECORD)]
    ),
}
"""By page and by the heading of the table's first column: what the table has to explain."""


@pytest.mark.parametrize(("page", "heading"), EXPLAINED)
def test_every_one_is_explained_and_nothing_else(page: str, heading: str) -> None:
    explained = tables(page)[heading]
    assert set(explained) == set(map(str, EXPLAINED[page, heading]()))
    assert all(explained.values()), "a meaning is missing"


def test_every_problem_leads_to_its_place_in_the_manual() -> None:
    assert dead_links() == []


def test_every_kind_of_problem_is_in_the_registry_once() -> None:
    sources = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    made = [code for path in sources for code in PROBLEM.findall(path.read_text())]
    assert len(made) > 20
    assert sorted(made) == sorted(codes())


def test_every_field_of_a_rule_set_is_explained() -> None:
    named = {each.name for each in fields(RuleSet)} - {"name"}
    assert named <= set(tables("prop-firms")["field"])


def test_every_path_that_is_named_is_there() -> None:
    named = [name for page in documents().values() for name in NAMED.findall(page.read_text())]
    assert len(named) > 40
    assert [name for name in named if not Path(ROOT, name).exists()] == []
