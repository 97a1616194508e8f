"""After a rotation a checkpoint that the old key signed still counts as the record's own."""

from dataclasses import replace

import pytest

from signals.record.formats.checkpoints import Checkpoint
from signals.record.log.disk import Signed
from signals.record.log.keys import KeyFiles
from signals.record.log.publishing import Publisher
from signals.record.log.refusals import FORK, SEEN, RecordRefused
from signals.record.signing import LogSigner, signed_note
from tests.databases import both_databases
from tests.signals.record.log.helpers import ORIGIN, Node

pytestmark = both_databases


@pytest.fixture
def old_key(node: Node) -> LogSigner:
    """Return the key that signed before the record changed to another."""
    node.enter(1)
    node.publish()
    keys = KeyFiles(node.folder, ORIGIN)
    old = keys.current()
    keys.make_next()
    node.publish()
    node.enter(2)
    node.publish()
    assert keys.past() == [old.key]
    assert keys.current().key != old.key
    return old


def seeing(node: Node, signer: LogSigner, size: int, root: bytes) -> Publisher:
    """Return a publisher whose witness has a checkpoint of this size, signed by this key."""
    checkpoint = Checkpoint(ORIGIN, size, root)
    seen = Signed(checkpoint, signed_note(checkpoint, signer))
    publisher = node.publisher()
    publisher.opening = replace(publisher.opening, seen=lambda origin: [seen])
    return publisher


def test_another_history_that_a_past_key_signed_is_a_fork(node: Node, old_key: LogSigner) -> None:
    with pytest.raises(RecordRefused) as refused:
        seeing(node, old_key, 2, b"x" * 32).publish()
    assert refused.value.kind is FORK


def test_a_larger_record_that_a_past_key_signed_stops_the_signing(
    node: Node, old_key: LogSigner
) -> None:
    with pytest.raises(RecordRefused) as refused:
        seeing(node, old_key, 99, b"x" * 32).publish()
    assert refused.value.kind is SEEN


def test_the_same_history_that_a_past_key_signed_is_no_reason_to_stop(
    node: Node, old_key: LogSigner
) -> None:
    shown = node.disk.published()
    assert shown is not None
    root = node.disk.folder.tiles(shown.size).hash_of(0, 2)
    assert seeing(node, old_key, 2, root).publish() > 2


def test_what_a_strange_key_signed_is_nobodys(node: Node, old_key: LogSigner) -> None:
    stranger = LogSigner(ORIGIN, b"9" * 32)
    assert seeing(node, stranger, 2, b"x" * 32).publish() > 2
