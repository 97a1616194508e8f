"""`verify_record` as a user runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from signals.record.one_file import source
from tests.signals.record.sample import POLICY, honest


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bundle")
    record = honest(place / "record")
    (place / "bundle.zip").write_bytes(record.bundle())
    (place / "policy").write_bytes(POLICY)
    return place


def run(place: Path, *arguments: str) -> None:
    call_command("verify_record", *(str(place / each) for each in arguments[:1]), *arguments[1:])


def test_a_good_bundle_is_accepted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(place, "bundle.zip", "--policy", str(place / "policy"), "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["ok"]
    assert found["track_record"]["shown"] == 6


def test_a_fault_is_named_and_exits_with_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "strangers").write_bytes(b"quorum none\n")
    with pytest.raises(CommandError, match="names no key") as raised:
        run(place, "bundle.zip", "--policy", str(place / "strangers"))
    assert raised.value.returncode == 1
    assert "NOT ACCEPTED" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [(), ("bundle.zip",), ("bundle.zip", "--policy", "/missing"),
     ("bundle.zip", "--policy", "policy", "--authorities", "policy")],
)  # fmt: skip
def test_wrong_usage_exits_with_2(place: Path, arguments: tuple[str, ...]) -> None:
    given = [str(place / each) if each == "policy" else each for each in arguments]
    with pytest.raises(CommandError) as raised:
        run(place, *given)
    assert raised.value.returncode == 2


def test_the_verifier_is_printed_as_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_record", "--one-file")
    assert capsys.readouterr().out == source()
