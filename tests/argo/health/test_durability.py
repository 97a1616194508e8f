"""Health tells on how many machines a commit is, and what is on one disk only."""

import json
import subprocess
from typing import Any

import pytest

from tests.clusters import Pair
from tests.durable_nodes import Node, StartNode, eventually, standby_away
from tests.installation import Installation
from tests.samples import a_signal

pytestmark = pytest.mark.slow
REPORT = """
import json, django
django.setup()
from argo.health import durability, registry
from signals.clock import utc_now
problems = [problem.kind.code for problem in durability.problems(utc_now())]
print(json.dumps([problems, durability.report(database_answers=True)]))
"""


def report(argo: Installation) -> tuple[list[str], dict[str, Any]]:
    """Return the codes of the problems of durability, and what health reports of it."""
    output, _ = argo.start("-c", REPORT, stdout=subprocess.PIPE).communicate(timeout=120)
    problems, told = json.loads(output)
    return problems, told


@pytest.fixture
def taker(start_node: StartNode) -> Node:
    return start_node(SIGNAL_DURABILITY_WAIT="0.5")


def test_a_standby_that_commits_wait_for_is_no_problem(taker: Node) -> None:
    problems, told = report(taker.argo)

    assert problems == []
    assert told["promise"] == "database"
    assert told["on_one_disk"] == 0
    (standby,) = told["standbys"]
    assert (standby["name"], standby["sync_state"]) == ("argo_standby", "sync")


def test_without_a_synchronous_standby_database_means_one_machine(
    server_pair: Pair, taker: Node
) -> None:
    server_pair.primary.ask("ALTER SYSTEM SET synchronous_standby_names = ''")
    server_pair.primary.ask("SELECT pg_reload_conf()")
    try:
        eventually(lambda: report(taker.argo)[0] == ["durability.one_machine"])
        assert taker.call(a_signal()) == ["database"]
    finally:
        server_pair.primary.ask("ALTER SYSTEM RESET synchronous_standby_names")
        server_pair.primary.ask("SELECT pg_reload_conf()")


def test_a_standby_that_is_not_connected_is_a_problem(server_pair: Pair, taker: Node) -> None:
    server_pair.standby.stop()
    try:
        eventually(lambda: report(taker.argo)[0] == ["durability.no_standby"])
    finally:
        server_pair.standby.start()


def test_a_role_that_may_not_see_the_standbys_is_told_what_to_grant(
    server_pair: Pair, taker: Node
) -> None:
    server_pair.primary.ask("CREATE ROLE limited LOGIN IN ROLE pg_read_all_data")
    url = server_pair.url.replace("postgres@", "limited@")
    other = Installation(taker.argo.folder, {**taker.argo.settings, "DATABASE_URL": url})
    try:
        problems, told = report(other)
    finally:
        server_pair.primary.ask("DROP ROLE limited")

    assert problems == ["durability.unknown"]
    assert told["standbys"] is None


def test_what_is_on_one_disk_is_counted_with_its_age(server_pair: Pair, taker: Node) -> None:
    with standby_away(server_pair):
        taker.call(a_signal(), a_signal())
        eventually(lambda: "durability.one_disk" in report(taker.argo)[0])
        _, told = report(taker.argo)

    assert told["on_one_disk"] == 2
    assert float(str(told["oldest_age"])) >= 1
    eventually(lambda: report(taker.argo)[1]["on_one_disk"] == 0)
