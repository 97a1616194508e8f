"""`/metrics`: who may read it, what is in it, and the files that use its names."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from pytest_django import Settings

import argo.web.metrics
import execution.decisions.metrics
import sync.metrics
from argo.metrics import figures
from argo.metrics.figures import Figures
from signals import metrics
from signals.config import flusher
from signals.keys import create_key
from tests.installation import ROOT
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(transaction=True)
FILES = ROOT / "argo" / "metrics"


@pytest.fixture
def key() -> str:
    return create_key("metrics", ["read", "write"])


def served(client: Client, key: str) -> dict[str, float]:
    """Return the samples by name and labels, as Prometheus's own parser reads them."""
    answer = client.get("/metrics", headers={"X-API-Key": key})
    assert answer.status_code == 200
    return {
        sample.name + "".join(f",{value}" for value in sample.labels.values()): sample.value
        for family in prometheus(answer.content.decode())
        for sample in family.samples
    }


def test_a_key_that_may_read_is_needed(client: Client, key: str) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"X-API-Key": "argo_wrong"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_a_key_that_may_only_write_is_told_so(client: Client) -> None:
    only_writes = create_key("writer", ["write"])
    answer = client.get("/metrics", headers={"X-API-Key": only_writes})
    assert answer.status_code == 403
    assert "may not read" in answer.content.decode()


def test_it_can_only_be_read(client: Client, key: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/metrics", headers={"X-API-Key": key}).status_code == 405
    assert strict.head("/metrics", headers={"X-API-Key": key}).status_code == 200


def test_a_setting_opens_it(client: Client, settings: Settings) -> None:
    settings.METRICS_PUBLIC = True
    assert client.get("/metrics").status_code == 200


def test_it_speaks_openmetrics_if_asked(client: Client, key: str) -> None:
    accept = "application/openmetrics-text; version=1.0.0"
    answer = client.get("/metrics", headers={"X-API-Key": key, "Accept": accept})
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert {"argo_dead_letters", "argo_build"} & {
        family.name
        for family in open_metrics(answer.content.decode())  # type: ignore[no-untyped-call]
    }


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=x",
        "text/plain; version=1.x",
        "\xff;;,",
        "*/*; q=1e999",
    ],
)
def test_a_header_that_makes_no_sense_gets_the_plain_form(
    client: Client, key: str, accept: str
) -> None:
    answer = client.get("/metrics", headers={"X-API-Key": key, "Accept": accept})
    assert answer.status_code == 200
    assert b"argo_dead_letters" in answer.content


def test_intake_and_refusals_are_counted_by_door_and_reason(client: Client, key: str) -> None:
    before = served(client, key)
    headers = {"X-API-Key": key}

    def post(body: object, path: str = "/api/signals", **more: str) -> int:
        text = body if isinstance(body, str) else json.dumps(body, default=str)
        return client.post(path, text, "application/json", headers=headers | more).status_code

    given = a_signal()
    assert post(given) == 202
    assert post([given, {}], "/api/signals/batch") == 202
    assert post(a_signal() | {"confidence": 1000}) == 422
    assert post(a_signal() | {"sha256": "0" * 64}) == 400
    assert post("no json") == 400
    assert client.post("/api/signals", "{}", "application/json").status_code == 401
    flusher().flush()

    after = served(client, key)

    def more(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert more("argo_signals_accepted_total,api") == 2
    assert more("argo_signals_refused_total,api,invalid") == 2
    assert more("argo_signals_refused_total,api,hash") == 1
    assert more("argo_signals_refused_total,api,body") == 1
    assert more("argo_signals_refused_total,api,key") == 1
    assert more("argo_flush_lines_total,stored") == 1
    assert more("argo_flush_lines_total,duplicate") == 1
    assert more("argo_storage_latency_seconds_count") == 1
    assert more("argo_flush_commit_seconds_count") >= 1


def test_any_number_of_origins_has_a_bounded_number_of_labels(client: Client, key: str) -> None:
    for number in range(1000):
        metrics.accepted(f"bot {number}", 1)
    assert sum("argo_signals_accepted_total" in name for name in served(client, key)) <= 9


def test_figures_that_cannot_be_read_do_not_hide_the_others(
    client: Client, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Iterator[None]:
        raise OSError("away")
        yield

    monkeypatch.setitem(figures.GROUPS, "sync", broken)
    found = served(client, key)
    assert found["argo_figures_readable,sync"] == 0
    assert found["argo_figures_readable,execution"] == 1
    assert "argo_dead_letters" in found


def names() -> set[str]:
    """Return the names of all samples that Argo can serve."""
    assert sync.metrics.ATTEMPTS
    assert execution.decisions.metrics.DECISIONS
    assert argo.web.metrics.READERS
    counters = {name for name in REGISTRY._names_to_collectors if name.startswith("argo_")}
    return counters | {family.name for family in Figures().collect()}


def used(text: str) -> set[str]:
    return set(re.findall(r"\bargo_[a-z_]+", text))


def test_alerting_rules_and_dashboard_use_names_that_are_served() -> None:
    rules = yaml.safe_load((FILES / "prometheus/alerts.yml").read_text())
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    panels = json.loads((FILES / "grafana/dashboard.json").read_text())["panels"]
    expressions += [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(expressions) > 30
    assert used("\n".join(expressions)) <= names()


def test_figures_that_all_nodes_share_are_never_summed() -> None:
    shared = {family.name for family in Figures().collect() if "use max" in family.documentation}
    assert len(shared) > 8
    text = (FILES / "prometheus/alerts.yml").read_text()
    text += (FILES / "grafana/dashboard.json").read_text()
    for name in shared & used(text):
        before = re.findall(rf"(\w+)(?: by \([^)]*\))? ?\({name}\b", text)
        assert before, name
        assert set(before) == {"max"}, name
