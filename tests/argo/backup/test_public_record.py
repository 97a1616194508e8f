"""The public record after a rebuild or a restore, by the commands that people use."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from signals.record.folder import TileFolder
from tests.argo.backup.backups import back_up, log, restore, rows
from tests.argo.backup.conftest import MakeEmpty
from tests.installation import Installation

ORIGIN = "argo.example/record"
WORK = (
    "from signals import tasks\n"
    "tasks.flush(), tasks.sequence(), tasks.enter_record()\n"
    "print('size', tasks.publish_record())"
)
"""What the workers do: flush, give indexes, enter, sign."""


@pytest.fixture
def signing(argo: Installation) -> Installation:
    """Return an installation that signs a record."""
    return Installation(argo.folder, argo.settings | {"RECORD_ORIGIN": ORIGIN})


def work(argo: Installation) -> int:
    """Do what the workers do; return the size of the published record, 0 if nothing is signed."""
    done = argo.manage("shell", "--verbosity", "0", "--command", WORK)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.rpartition("size ")[2])


def entries(argo: Installation) -> list[Any]:
    """Return the entries in the tables."""
    found = rows(argo, "SELECT id, kind, at, digest, note, leaf FROM record_entries ORDER BY id")
    return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in found]


def published(folder: Path) -> list[bytes]:
    """Return the entries that the record shows."""
    record = TileFolder(folder / "record")
    shown = record.checkpoint()
    return record.tiles(shown.size).entries(0, shown.size) if shown else []


def verify(argo: Installation, known: bytes, folder: Path) -> None:
    """See that the whole record is right, and continues a checkpoint."""
    status = json.loads(argo.manage("record", "--json").stdout)
    policy, kept = folder / "policy", folder / "kept"
    policy.write_text(f"log {status['verifier_keys'][0]}\nquorum none\n")
    kept.write_bytes(known)
    record = str(argo.folder / "record")
    ask = ("verify_record", record, "--policy", str(policy), "--known", str(kept))
    done = argo.manage(*ask)
    assert done.returncode == 0, done.stdout + done.stderr
    assert argo.manage("verify_signals").returncode == 0


def test_a_database_that_is_rebuilt_has_the_same_record(
    signing: Installation, empty: MakeEmpty, tmp_path: Path
) -> None:
    work(signing)
    log(signing, 3)
    work(signing)
    log(signing, 2)
    size = work(signing)
    before, shown = entries(signing), published(signing.folder)
    checkpoint = (signing.folder / "record" / "checkpoint").read_bytes()
    assert len(before) == size == len(shown)

    new = without_its_database(signing, empty())
    new.manage("migrate", "--verbosity", "0").check_returncode()
    new.manage("rebuild_signals").check_returncode()
    assert work(new) == size
    assert entries(new) == before
    assert (new.folder / "record" / "checkpoint").read_bytes() == checkpoint
    log(new, 1)
    work(new)
    assert work(new) == size + 1
    assert published(new.folder)[:size] == shown
    verify(new, checkpoint, tmp_path)


def without_its_database(argo: Installation, other: Installation) -> Installation:
    """Return the installation with an empty database."""
    if "DATABASE_URL" in argo.settings:
        return Installation(argo.folder, argo.settings | other.settings)
    for path in argo.folder.glob("signals.db*"):
        path.unlink()
    return argo


def test_a_restored_older_database_signs_no_fork(
    signing: Installation, empty: MakeEmpty, tmp_path: Path
) -> None:
    work(signing)
    log(signing, 2)
    work(signing)
    back_up(signing, tmp_path / "backup")
    log(signing, 3)
    size = work(signing)
    shown = published(signing.folder)
    checkpoint = (signing.folder / "record" / "checkpoint").read_bytes()
    log(signing, 1)  # accepted, and not in the record yet

    made = empty()
    other = Installation(made.folder, made.settings | {"RECORD_ORIGIN": ORIGIN})
    restore(other, tmp_path / "backup")
    assert work(other) == 0  # without data/record nothing is signed
    assert not published(other.folder)
    (other.folder / "signals.log").write_bytes((signing.folder / "signals.log").read_bytes())
    shutil.copytree(signing.folder / "record", other.folder / "record", dirs_exist_ok=True)
    assert work(other) == 0  # nobody has said that the old place is given up
    assert (other.folder / "record" / "checkpoint").read_bytes() == checkpoint
    other.manage("record", "--claim").check_returncode()
    work(other)
    assert work(other) == size + 1
    assert published(other.folder)[:size] == shown
    assert [row[1] for row in entries(other)].count("signal") == 6
    verify(other, checkpoint, tmp_path)
