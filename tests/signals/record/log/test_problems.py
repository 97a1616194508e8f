"""Health names what is wrong with the record."""

from datetime import timedelta

import pytest

from signals.clock import utc_now
from signals.models import RecordHead
from signals.record.log import service
from signals.record.log.problems import problems
from signals.record.log.refusals import RecordRefused
from signals.record.log.service import owner_of
from signals.tasks import publish_record
from tests.signals.record.log.helpers import Node

pytestmark = pytest.mark.django_db(transaction=True)


def codes(minutes: int = 0) -> list[str]:
    return [each.kind.code for each in problems(utc_now() + timedelta(minutes=minutes))]


def test_a_record_that_keeps_up_has_none(own: Node) -> None:
    own.enter(1)
    own.publish()
    assert codes(minutes=600) == []


def test_a_line_that_waits_to_be_entered_or_signed_is_one(own: Node) -> None:
    own.enter(1)
    assert codes() == []
    assert codes(minutes=10) == ["record.behind"]
    own.publish()
    own.store(2)
    assert codes() == []
    assert codes(minutes=10) == ["record.behind"]


def test_a_foreign_owner_and_a_fork_are_named(own: Node) -> None:
    RecordHead.objects.update(owner="another")
    assert codes() == ["record.foreign_owner"]
    RecordHead.objects.update(stopped="The first 3 entries differ.")
    assert codes() == ["record.fork"]


def test_why_it_was_not_signed_last_time_is_named_until_it_is(own: Node) -> None:
    own.enter(1)
    checkpoint = own.folder / "record/tile/0/000.p/1"
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(bytes(32))
    with pytest.raises(RecordRefused):
        own.publish()
    assert codes() == ["record.damaged"]
    checkpoint.write_bytes(content)
    own.publish()
    assert codes() == []


def test_a_task_that_may_not_sign_says_so_once_and_does_not_fail(
    own: Node, caplog: pytest.LogCaptureFixture
) -> None:
    own.enter(1)
    own.publish()
    service._publisher.cache_clear()
    RecordHead.objects.update(owner=owner_of(own.journal), stopped="The first 3 entries differ.")
    assert [publish_record(), publish_record()] == [0, 0]
    assert [each.levelname for each in caplog.records if "is not signed" in each.message] == [
        "WARNING"
    ]


def test_there_are_none_without_a_record() -> None:
    assert codes() == []
