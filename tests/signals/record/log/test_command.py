"""The command `record`: how it stands, copies, a new key, and what only a person may decide."""

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from signals.models import Act, RecordHead
from signals.record.formats.entries import parse_entry
from signals.record.formats.policy import parse_policy
from signals.record.log import service, successor
from signals.record.verifier.check import Asked
from signals.record.verifier.cli import verify
from tests.signals.record.log.helpers import ORIGIN, Node

pytestmark = pytest.mark.django_db(transaction=True)


def record(*arguments: object) -> Any:  # noqa: ANN401  # JSON
    out = StringIO()
    call_command("record", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_status_names_the_key_and_the_sizes(own: Node) -> None:
    own.enter(1)
    found = record()
    assert (found["origin"], found["entered"], found["size"], found["published"]) == (
        ORIGIN, 3, 1, 1,
    )  # fmt: skip
    assert found["verifier_keys"][0].startswith(f"{ORIGIN}+")
    out = StringIO()
    call_command("record", stdout=out)
    assert found["verifier_keys"][0] in out.getvalue()


def test_the_status_without_a_record(settings: Settings) -> None:
    assert record("--status")["entered"] == 0


def test_a_copy_is_brought_up_to_date_and_can_be_verified(own: Node, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for numbers in (range(10), range(10, 300)):
        own.enter(*numbers)
        own.publish()
        assert record("--publish", copy)["size"] == own.disk.published().size  # type: ignore[union-attr]
    policy = f"log {record()['verifier_keys'][0]}\nquorum none\n"
    assert not verify(str(copy), Asked(parse_policy(policy.encode()))).faults
    assert (copy / "checkpoint").stat().st_mode & 0o777 == 0o644
    assert (copy / "tile/0").stat().st_mode & 0o777 == 0o755
    assert "def main" in (copy / "verify.py").read_text()


def test_a_copy_never_goes_back(own: Node, tmp_path: Path) -> None:
    own.enter(1)
    own.publish()
    record("--publish", tmp_path / "copy")
    shutil.rmtree(tmp_path / "record")
    with pytest.raises(CommandError, match="Nothing is published"):
        record("--publish", tmp_path / "copy")


def test_a_key_is_rotated(own: Node) -> None:
    before = record()["verifier_keys"]
    rotated = record("--rotate-key")
    assert rotated["before"] == before[0]
    assert record()["verifier_keys"] == [rotated["verifier_key"]]
    assert rotated["size"] == 2


def test_a_moved_folder_signs_once_a_person_says_so(own: Node) -> None:
    RecordHead.objects.update(owner="another")
    with pytest.raises(CommandError, match="signed from another data folder"):
        record()
    assert record("--claim")["size"] == 1
    assert Act.objects.filter(about="the public record").count() == 1


def test_a_lost_folder_goes_on_once_a_person_says_so(own: Node, tmp_path: Path) -> None:
    own.enter(1)
    own.publish()
    shown = own.published()
    shutil.rmtree(tmp_path / "record")
    (tmp_path / "record.signed").unlink()
    with pytest.raises(CommandError, match="record --resume"):
        record()
    assert record("--resume")["size"] == 3
    assert own.published() == shown
    with pytest.raises(CommandError, match="is there"):
        record("--resume")


def test_a_lost_key_ends_the_record_and_the_next_one_names_it(
    own: Node, settings: Settings, tmp_path: Path
) -> None:
    own.enter(1)
    own.publish()
    last = (tmp_path / "record/checkpoint").read_text()
    (tmp_path / "record.key").unlink()
    settings.RECORD_ORIGIN = "argo.example/second"
    with pytest.raises(CommandError, match="begin-anew"):
        record()
    assert record("--begin-anew")["size"] == 1
    assert parse_entry(own.published()[0]).note == last
    own.enterer.enter()
    service.publisher().publish()  # type: ignore[union-attr]
    assert [parse_entry(each).kind for each in own.published()] == ["key", "history"]
    with pytest.raises(CommandError, match="no record of another origin"):
        record("--begin-anew")
    settings.RECORD_ORIGIN = ORIGIN
    with pytest.raises(CommandError, match="has ended already"):
        record("--begin-anew")


def test_a_record_that_only_the_folder_knows_is_named_by_the_next_one(
    own: Node, settings: Settings, tmp_path: Path
) -> None:
    own.enter(1)
    own.publish()
    last = (tmp_path / "record/checkpoint").read_text()
    successor.forget("default")  # the database was made again
    settings.RECORD_ORIGIN = "argo.example/second"
    assert record("--begin-anew")["size"] == 1
    assert parse_entry(own.published()[0]).note == last
    assert len(list(tmp_path.glob("record-ended-*"))) == 2  # the folder and its key


def test_without_an_origin_it_says_what_to_set() -> None:
    with pytest.raises(CommandError, match="RECORD_ORIGIN") as error:
        record("--rotate-key")
    assert error.value.returncode == 2
