"""The tasks of the record follow the sequence; what they leave out is done by the next one."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from pytest_django import Settings

from argo.environment import Environment
from argo.up.children import workers
from argo.up.roles import all_roles
from signals import tasks
from signals.backup.manifest import read_manifest
from signals.record.log import service
from signals.record.log.salt import BadSaltKey, salt_key, salt_path
from tests.signals.record.log.helpers import Node, entries, kinds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the tasks that are sent."""
    sent: list[str] = []
    for name in ("_enter_wakeup", "_publish_wakeup"):
        waker = type("Waker", (), {"notify": lambda self, count, name=name: sent.append(name)})()
        monkeypatch.setattr(service, name, lambda waker=waker: waker)
    return sent


def test_a_signal_is_signed_by_the_tasks_alone(own: Node, woken: list[str]) -> None:
    own.log(1)
    tasks.flush()
    tasks.sequence()
    assert woken == ["_enter_wakeup"]
    assert tasks.enter_record() == 1
    assert woken == ["_enter_wakeup", "_publish_wakeup"]
    assert tasks.publish_record() == 4
    assert kinds("default") == ["heartbeat", "account", "strategy", "signal"]
    assert [each.note for each in entries("default")][1] == "paper"
    assert not own.verified().faults


def test_without_a_record_nobody_is_woken_and_nothing_is_made(
    woken: list[str], tmp_path: Path
) -> None:
    node = Node(tmp_path, "default")
    node.log(1)
    tasks.flush()
    tasks.sequence()
    assert (tasks.enter_record(), tasks.publish_record(), woken) == (0, 0, [])
    assert not salt_path(node.journal).exists()
    assert not (tmp_path / "record").exists()
    node.journal.close()


def test_a_record_has_a_worker_of_its_own_where_it_is_signed(settings: Settings) -> None:
    assert {queue for worker in workers(all_roles()) for queue in worker.queues}.isdisjoint(
        {"record"}
    )
    settings.RECORD_ORIGIN = "argo.example/record"
    (found,) = (worker for worker in workers(all_roles()) if "record" in worker.queues)
    assert found.queues == ("record",)


def test_other_machines_of_a_shared_database_enter_in_their_worker_flush(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("argo.up.children.is_shared", lambda using: True)
    (found,) = (worker for worker in workers(all_roles()) if "record" in worker.queues)
    assert found.queues == ("flush", "record")


def test_the_keys_are_in_every_backup(own: Node, tmp_path: Path) -> None:
    own.enter(1)
    own.publish()
    call_command("backup", str(tmp_path / "backup"))
    files = read_manifest(tmp_path / "backup").files
    assert {"signals.salt", "record.key"} <= set(files)
    for name in ("signals.salt", "record.key"):
        assert (tmp_path / "backup" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_an_adopted_journal_is_history(own: Node, tmp_path: Path) -> None:
    lost = Node(tmp_path / "lost", "default")
    lost.log(7, 8)
    assert lost.journal.identity
    lost.journal.close()
    call_command("adopt_journal", str(tmp_path / "lost"))
    assert kinds("default") == ["heartbeat", "account", "history", "history"]
    call_command("adopt_journal", str(tmp_path / "lost"))
    assert kinds("default").count("history") == 2


def test_a_damaged_salt_key_is_named(own: Node) -> None:
    own.enter(1)
    assert len(salt_key(own.journal)) == 32
    assert salt_path(own.journal).stat().st_mode & 0o777 == 0o600
    salt_path(own.journal).write_text("x")
    own.store(2)
    with pytest.raises(BadSaltKey, match="put it back from a backup"):
        own.enterer.enter()


@pytest.mark.parametrize("value", ["https://argo.example", "argo.example/", "a b", "a+b", "/x"])
def test_an_origin_that_no_key_can_have_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("RECORD_ORIGIN", value)
    with pytest.raises(ImproperlyConfigured, match="RECORD_ORIGIN"):
        Environment().log_origin("RECORD_ORIGIN")
