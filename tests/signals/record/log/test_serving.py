"""The record at `/record/`: what the checkpoint covers, and how long it may be cached."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from signals.record.log.keys import KeyFiles
from tests.signals.record.log.helpers import ORIGIN, Node

pytestmark = pytest.mark.django_db(transaction=True)


def policy(node: Node) -> bytes:
    return f"log {KeyFiles(node.folder, ORIGIN).current().key}\nquorum none\n".encode()


def test_an_outsider_verifies_it_with_the_file_that_is_served(
    own: Node, live_server: LiveServer, tmp_path: Path, client: Client
) -> None:
    own.enter(*range(300))
    own.publish()
    (tmp_path / "verify.py").write_bytes(client.get("/record/verify.py").content)
    (tmp_path / "policy").write_bytes(policy(own))
    checked = subprocess.run(
        [sys.executable, "-I", "verify.py", f"{live_server.url}/record", "--policy", "policy"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "302" in checked.stdout


def test_each_file_says_how_long_it_may_be_kept(own: Node, client: Client) -> None:
    own.enter(*range(300))
    own.publish()
    for path, kept in (
        ("checkpoint", "no-store"),
        ("tile/0/000", "immutable"),
        ("tile/entries/000", "immutable"),
        ("tile/0/001.p/46", "max-age=3600"),
        ("tile/1/000.p/1", "max-age=3600"),
    ):
        answer = client.get(f"/record/{path}")
        assert answer.status_code == 200, path
        assert kept in answer["Cache-Control"], path


def test_what_the_checkpoint_does_not_cover_is_not_shown(own: Node, client: Client) -> None:
    own.enter(1)
    own.publish()
    own.enter(2)
    tiles = own.disk.folder
    tiles.append(3, [b"x"])  # written, and never signed
    assert client.get("/record/tile/0/000.p/3").status_code == 200
    assert client.get("/record/tile/0/000.p/4").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["tile/0/../../record.key", "tile/0/%2e%2e/%2e%2e/record.key", "checkpoints/../../signals.salt",
     "tile/9/000", "tile/0/000.p/0", "tile/0/1", "stamps/..", "checkpoints/" + "0" * 64],
)  # fmt: skip
def test_nothing_else_of_the_folder_is_shown(own: Node, client: Client, path: str) -> None:
    assert client.get(f"/record/{path}").status_code == 404


def test_it_is_not_shown_unless_the_operator_says_so(
    own: Node, client: Client, settings: Settings
) -> None:
    settings.RECORD_PUBLIC = False
    assert client.get("/record/checkpoint").status_code == 404
    assert client.get("/record/verify.py").status_code == 404
    assert client.post("/record/checkpoint").status_code == 405
