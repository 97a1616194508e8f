"""A node is retired for a reason, and only if nothing of its journal is lost unsaid."""

import json
import socket
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from argo.errors import Conflict, InvalidInput, NotFound
from signals import config, nodes
from signals.journal import Journal
from signals.keys import create_key
from signals.ledger.flush import Flusher
from signals.models import Act, Node
from tests.samples import a_signal
from tests.signals.nodes.folders import a_folder, accept, reported

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[Journal]:
    """The journal of a node that has been silent for long."""
    journal = a_folder(tmp_path / "lost", 3)
    reported(journal, ago=1000, undrained=3)
    yield journal
    journal.close()


def _command(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def _answer(name: str, *arguments: str) -> Any:  # noqa: ANN401
    return json.loads(_command(name, *arguments, "--json"))


def test_undrained_lines_are_not_given_up_by_mistake(lost: Journal) -> None:
    with pytest.raises(Conflict, match=r"3 when it last reported.*adopt_journal.*--give-up"):
        nodes.retire(lost.identity, "its disk died")
    assert Node.objects.get().retired_at is None


def test_lines_that_came_after_the_last_report_are_not_given_up_either(lost: Journal) -> None:
    """It was killed: nobody can know what it accepted after its last heartbeat."""
    Flusher(lost).flush()
    reported(lost, ago=1000, undrained=0)
    with pytest.raises(Conflict):
        nodes.retire(lost.identity, "its disk died")


def test_what_is_given_up_is_kept(lost: Journal) -> None:
    nodes.retire(lost.identity, "its disk died", gives_up=True)
    node = Node.objects.get()
    assert (node.retired_why, node.given_up) == ("its disk died", 3)
    act = Act.objects.get()
    assert (act.kind, act.after, act.why) == (
        "node",
        "retired, 3 lines given up",
        "its disk died",
    )


def test_a_folder_on_this_machine_shows_if_it_is_drained(lost: Journal) -> None:
    reported(lost, ago=1000, undrained=0, host=socket.gethostname())
    with pytest.raises(Conflict):  # whatever it reported
        nodes.retire(lost.identity, "moved")
    Flusher(lost).flush()
    assert nodes.retire(lost.identity, "moved").given_up is None


def test_a_node_that_was_stopped_empty_is_drained(lost: Journal) -> None:
    Flusher(lost).flush()
    nodes.release(lost)
    assert nodes.retire(lost.identity, "not needed").given_up is None


def test_a_living_node_is_not_retired(lost: Journal) -> None:
    reported(lost, ago=30)
    with pytest.raises(Conflict, match="is alive"):
        nodes.retire(lost.identity, "why not", gives_up=True)


@pytest.mark.parametrize("why", ["", "  "])
def test_a_reason_is_needed(lost: Journal, why: str) -> None:
    with pytest.raises(InvalidInput, match="--why"):
        nodes.retire(lost.identity, why, gives_up=True)


def test_a_node_is_retired_once(lost: Journal) -> None:
    nodes.retire(lost.identity, "first", gives_up=True)
    with pytest.raises(Conflict, match="retired before: first"):
        nodes.retire(lost.identity, "second", gives_up=True)


def test_the_beginning_of_a_name_is_enough_if_it_is_unique(lost: Journal) -> None:
    Node.objects.update(identity="aaaa1111bbbb")
    Node.objects.create(identity="aaaa2222bbbb")
    Node.objects.create(identity="aaaa")
    with pytest.raises(NotFound, match="no node 'zz'"):
        nodes.find("zz")
    with pytest.raises(NotFound):
        nodes.find("")
    with pytest.raises(Conflict, match="aaaa1111bbbb, aaaa2222bbbb"):
        nodes.find("aa")
    assert nodes.find("aaaa").identity == "aaaa"
    assert nodes.find("aaaa2").identity == "aaaa2222bbbb"


def test_the_command_lists_and_retires(lost: Journal) -> None:
    text = _command("nodes")
    assert "gone" in text
    assert lost.identity[:8] in text
    listed = {node["identity"]: node for node in _answer("nodes")["nodes"]}
    assert listed[lost.identity]["undrained"] == 3
    with pytest.raises(CommandError) as refused:
        _command("nodes", "--retire", lost.identity[:8], "--why", "gone")
    assert refused.value.returncode == 1
    done = _answer("nodes", "--retire", lost.identity[:8], "--why", "gone", "--give-up")
    assert done == {
        "retired": {"node": lost.identity[:8], "identity": lost.identity, "given_up": 3}
    }
    assert "retired" in _command("nodes")


@pytest.mark.parametrize("arguments", [["--why", "x"], ["--give-up"], ["--retire", "zzzz"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        _command("nodes", *arguments, *(["--why", "x"] if "zzzz" in arguments else []))
    assert refused.value.returncode == 2


def test_an_adopted_node_may_be_retired(lost: Journal) -> None:
    nodes.adopt(lost.path.parent)
    assert nodes.retire(lost.identity, "its disk died").given_up is None


def test_the_api_lists_the_nodes_to_those_who_may_read(lost: Journal, client: Client) -> None:
    accept(config.journal(), a_signal())
    assert client.get("/api/nodes").status_code == 401
    writer = create_key("writer", ["write"])
    assert client.get("/api/nodes", headers={"X-API-Key": writer}).status_code == 403
    key = create_key("reader", ["read"])
    answer = client.get("/api/nodes", headers={"X-API-Key": key}).json()
    found = {node["identity"]: node for node in answer["nodes"]}
    assert found[lost.identity]["state"] == "gone"
    assert found[lost.identity]["undrained"] == 3
    own = found[config.journal().identity]
    assert (own["is_this"], own["undrained"]) == (True, 1)


def test_the_admin_lists_the_nodes(lost: Journal, client: Client) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get("/admin/signals/node/").content.decode()
    assert lost.identity[:8] in page
    assert "gone" in page
