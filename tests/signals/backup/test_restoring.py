"""A backup is put into an empty installation; nothing that is there is overwritten."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from argo.errors import InvalidInput
from signals.backup import (
    Installation,
    NotRestored,
    Restoration,
    check_backup,
    mark_of,
)
from signals.models import Signal, SignalContext
from tests.signals.backup.conftest import ON_BOTH, ORIGIN, RESTORED
from tests.signals.journal.helpers import content


@pytest.fixture
def restoration(backup: Path, target: Installation) -> Restoration:
    return Restoration(backup, check_backup(backup), target)


@ON_BOTH
def test_everything_is_as_it_was(
    restoration: Restoration, source: Installation, target: Installation
) -> None:
    restoration.put_back()
    restoration.finish()
    here, there = source.journal.path.parent, target.journal.path.parent
    assert content(there) == content(here)
    assert target.journal.identity == source.journal.identity
    assert (there / "secret.key").read_text() == "a secret"
    assert not mark_of(there).exists()
    assert target.database.holds(restoration.manifest)


def test_every_row_is_as_it_was(restoration: Restoration, target: Installation) -> None:
    restoration.put_back()
    for model in (Signal, SignalContext):
        before, after = (
            list(model._default_manager.using(alias).order_by("pk").values())
            for alias in (ORIGIN, RESTORED)
        )
        assert len(before) == 4
        assert after == before


def test_only_its_owner_can_read_what_is_restored(
    restoration: Restoration, target: Installation
) -> None:
    restoration.put_back()
    folder = target.journal.path.parent
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_keys_that_a_start_has_made_are_replaced(
    restoration: Restoration, source: Installation, target: Installation
) -> None:
    folder = target.journal.path.parent
    (folder / "secret.key").write_text("made just now")
    (folder / "signals.id").write_text("made just now")
    restoration.put_back()
    assert (folder / "secret.key").read_text() == "a secret"
    assert target.journal.identity == source.journal.identity


def make_journal(target: Installation) -> None:
    target.journal.append([b"mine"])


def make_table(target: Installation) -> None:
    with connections[RESTORED].cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id integer)")
    connections[RESTORED].close()


@ON_BOTH
@pytest.mark.parametrize("make", [make_journal, make_table])
def test_data_that_is_there_is_refused_and_left_alone(
    restoration: Restoration, target: Installation, make: Callable[[Installation], None]
) -> None:
    make(target)
    folder = target.journal.path.parent
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(InvalidInput, match=r"there is data already: .* Move it away"):
        restoration.put_back()
    assert {path.name for path in folder.iterdir()} == before


def test_an_interrupted_restore_is_only_gone_on_with_from_the_same_backup(
    restoration: Restoration, backup: Path, target: Installation
) -> None:
    restoration.put_back()
    other = restoration.manifest.model_copy(update={"made_at": "2020-01-01T00:00:00Z"})
    with pytest.raises(InvalidInput, match="a restore of another backup"):
        Restoration(backup, other, target).put_back()
    restoration.put_back()
    restoration.finish()


def test_an_interrupted_restore_does_not_overwrite_what_was_written_since(
    restoration: Restoration, target: Installation
) -> None:
    restoration._mark(is_put_back=False)
    target.journal.append([b"since"])
    with pytest.raises(InvalidInput, match=r"there is data already: .*signals\.log"):
        restoration.put_back()


def test_a_backup_of_the_other_database_is_refused(
    restoration: Restoration, backup: Path, target: Installation
) -> None:
    kind = {"sqlite": "postgresql", "postgresql": "sqlite"}[target.database.kind]
    other = restoration.manifest.model_copy(update={"database": kind})
    with pytest.raises(InvalidInput, match=f"the backup is of {kind}, .* Correct DATABASE_URL"):
        Restoration(backup, other, target).put_back()


def test_too_little_space_is_noticed_before_anything_is_written(
    restoration: Restoration, target: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signals.backup.restoring.disk_usage", lambda _: _Full())
    with pytest.raises(NotRestored, match="are free in"):
        restoration.put_back()
    assert list(target.journal.path.parent.iterdir()) == []


class _Full:
    free = 0
