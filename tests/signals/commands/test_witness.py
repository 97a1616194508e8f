"""`witness` as a user runs it."""

import json
import stat

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from signals.models import Act
from signals.record.formats.notes import COSIGNATURE, parse_key
from signals.witness.keys import key_path
from tests.signals.witness.logs import ORIGIN, OtherLog

pytestmark = pytest.mark.django_db


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("witness", *arguments)
    return capsys.readouterr().out


def test_a_witness_is_made_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no witness yet" in run(capsys, "--list")
    made = json.loads(run(capsys, "--create", "argo.example/witness", "--json"))
    key = parse_key(made["key"])
    assert (key.name, key.kind) == ("argo.example/witness", COSIGNATURE)
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert made["key"] in run(capsys, "--list")
    with pytest.raises(CommandError, match="already") as raised:
        call_command("witness", "--create", "another.example")
    assert raised.value.returncode == 1


def test_logs_are_watched_listed_and_left(capsys: pytest.CaptureFixture[str]) -> None:
    key = str(OtherLog().signer.key)
    assert "is watched" in run(capsys, "--add", key)
    (log,) = json.loads(run(capsys, "--list", "--json"))["logs"]
    assert (log["origin"], log["keys"], log["size"]) == (ORIGIN, [key], 0)
    assert key in run(capsys, "--list")
    assert "no longer watched" in run(capsys, "--remove", ORIGIN)
    assert json.loads(run(capsys, "--list", "--json"))["logs"] == []
    assert Act.objects.filter(about=f"watched log {ORIGIN}").count() == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--create", "two words"),
        ("--create", "a+b"),
        ("--create", ""),
        ("--add", "nothing"),
        ("--add", "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"),
        ("--remove", "nobody.example"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("witness", *arguments)
    assert raised.value.returncode == 2
    assert not key_path().exists()
