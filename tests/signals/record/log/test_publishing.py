"""The folder shows what was entered, signed; a checkpoint that contradicts another is refused."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils.module_loading import import_string

from signals.locks import FileLock
from signals.models import RecordCheckpoint, RecordHead
from signals.record.formats.notes import is_signed
from signals.record.log import checkpoints
from signals.record.log.checkpoints import keep_for_witnesses
from signals.record.log.keys import KeyFiles
from signals.record.log.refusals import (
    DAMAGED,
    FOLDER_LOST,
    FOREIGN,
    FORK,
    KEY_LOST,
    OTHER_ORIGIN,
    RecordRefused,
)
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import in_threads
from tests.signals.record.log.helpers import ORIGIN, Node, kinds

pytestmark = both_databases


def test_what_is_entered_is_published_and_verified(node: Node, using: str) -> None:
    for number in range(0, 12, 3):
        node.enter(number, number + 1, number + 2)
        size = node.publish()
    assert size == 14
    report = node.verified()
    assert not report.faults, report.text()
    assert (report.facts["size"], report.facts["entries"]["signal"]) == (14, 12)


def test_nothing_new_is_not_signed_again(node: Node, using: str) -> None:
    node.enter(1)
    node.publish()
    before = (node.folder / "record/checkpoint").stat()
    assert node.publish() == 3
    assert (node.folder / "record/checkpoint").stat() == before


def test_lines_of_all_nodes_are_published_by_the_one_that_signs(
    node: Node, other: Node, using: str
) -> None:
    node.enter(1)
    other.enter(2)
    assert node.publish() == 4
    assert not (other.folder / "record").exists()
    with pytest.raises(RecordRefused) as refused:
        other.publish()
    assert refused.value.kind is FOREIGN


def test_two_nodes_that_begin_at_once_have_one_owner(
    tmp_path: Path, using: str, other: Node
) -> None:
    one = Node(tmp_path / "one", using)
    answers = in_threads(using, *(_answer(each) for each in (one, other)))
    assert sorted(map(str, answers)) == ["1", "record.foreign_owner"]
    one.journal.close()


def _answer(node: Node) -> Callable[[], object]:
    def publish() -> object:
        try:
            return node.publish()
        except RecordRefused as refused:
            return refused.kind.code

    return publish


def test_a_copy_of_the_data_folder_does_not_sign(node: Node, using: str, tmp_path: Path) -> None:
    node.enter(1)
    node.publish()
    node.journal.close()
    shutil.copytree(node.folder, tmp_path / "copy")
    copy = Node(tmp_path / "copy", using)
    with pytest.raises(RecordRefused) as refused:
        copy.publish()
    assert refused.value.kind is FOREIGN
    copy.journal.close()


def test_one_process_publishes_at_a_time(node: Node, using: str) -> None:
    lock = FileLock(node.folder / "record.lock")
    lock.acquire()
    node.enter(1)
    assert node.publish() == 0
    lock.release()
    assert node.publish() == 3


def test_a_heartbeat_shows_silence(node: Node, using: str) -> None:
    later = datetime.now(UTC) + timedelta(days=1, seconds=5)
    assert node.publish() == 1
    assert node.publisher(now=lambda: later).publish() == 2
    assert node.publisher(now=lambda: later + timedelta(hours=23)).publish() == 2
    assert kinds(using) == ["heartbeat", "heartbeat"]


def test_a_rotation_is_signed_by_both_keys_once_and_then_by_the_new_one(
    node: Node, using: str
) -> None:
    node.enter(1)
    node.publish()
    keys = KeyFiles(node.folder, ORIGIN)
    old, new = keys.current().key, keys.make_next().key
    node.publish()
    shown = node.disk.published()
    assert shown is not None
    assert (is_signed(shown.note, old), is_signed(shown.note, new)) == (True, True)
    assert kinds(using)[-1] == "key"
    node.enter(2)
    node.publish()
    shown = node.disk.published()
    assert shown is not None
    assert (is_signed(shown.note, old), is_signed(shown.note, new)) == (False, True)
    assert keys.next() is None
    assert not node.verified().faults


def test_a_lost_key_stops_the_signing(node: Node, using: str) -> None:
    node.enter(1)
    (node.folder / "record.key").unlink()
    with pytest.raises(RecordRefused) as refused:
        node.publish()
    assert refused.value.kind is KEY_LOST
    KeyFiles(node.folder, ORIGIN).make()  # another one
    with pytest.raises(RecordRefused) as refused:
        node.publish()
    assert refused.value.kind is KEY_LOST


def test_a_lost_folder_stops_the_signing(node: Node, using: str) -> None:
    node.enter(1)
    shutil.rmtree(node.folder / "record")
    (node.folder / "record.signed").unlink()
    with pytest.raises(RecordRefused) as refused:
        node.publish()
    assert refused.value.kind is FOLDER_LOST


def test_another_origin_is_refused(node: Node, using: str) -> None:
    with pytest.raises(RecordRefused) as refused:
        node.publisher("argo.example/other").publish()
    assert refused.value.kind is OTHER_ORIGIN


def test_a_row_that_was_altered_stops_the_record(node: Node, using: str) -> None:
    """Whoever changes the tables behind what is signed makes no second history."""
    node.enter(1, 2)
    node.publish()
    RecordCheckpoint.objects.using(using).update(root=bytes(32))
    node.enter(3)
    with pytest.raises(RecordRefused) as refused:
        node.publish()
    assert refused.value.kind is FORK
    head = RecordHead.objects.using(using).get()
    assert "contradict" in head.stopped
    node.store(4)
    assert node.enterer.enter() == 0
    with pytest.raises(RecordRefused, match="contradict"):
        node.publish()


def test_altered_tiles_are_named(node: Node, using: str) -> None:
    node.enter(1)
    node.publish()
    (node.folder / "record/tile/0/000.p/3").write_bytes(bytes(96))
    node.enter(2)
    with pytest.raises(RecordRefused) as refused:
        node.publish()
    assert refused.value.kind is DAMAGED


def test_old_checkpoints_are_forgotten_except_those_that_were_sent(
    node: Node, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "RECENT", 2)
    node.enter(1)
    node.publish()
    assert keep_for_witnesses(3, using)
    for number in range(2, 7):
        node.enter(number)
        node.publish()
    sizes = RecordCheckpoint.objects.using(using).order_by("size").values_list("size", flat=True)
    assert list(sizes) == [3, 6, 7, 8]
    assert not keep_for_witnesses(4, using)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "step",
    [
        "signals.record.log.keys.KeyFiles.make",
        "signals.record.folder.TileFolder.append",
        "signals.record.log.disk.Disk.keep_signed",
        "signals.record.log.publishing.store_checkpoint",
        "signals.record.folder.TileFolder.publish",
    ],
)
def test_the_first_signing_goes_on_after_a_crash_at_each_step(
    other: Node, using: str, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    real: Any = import_string(step) if "publishing" in step else _method(step)

    def crashing(*given: Any) -> Any:  # noqa: ANN401
        if after:
            real(*given)
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(step, crashing)
        with pytest.raises(InterruptedError):
            other.publish()
    other.enter(1)
    assert other.publish() == 3
    assert not other.verified().faults


def _method(path: str) -> Any:  # noqa: ANN401
    owner, _, name = path.rpartition(".")
    return getattr(import_string(owner), name)
