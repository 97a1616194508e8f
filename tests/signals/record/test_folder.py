"""Tiles are whole and synced before a checkpoint needs them, whatever dies in between."""

import os
import random
from pathlib import Path

import pytest

from signals import files
from signals.record.folder import TileFolder
from signals.record.formats.checkpoints import Checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import Entry
from signals.record.formats.notes import Note
from signals.record.formats.tiles import tile_path, tiles_of
from signals.record.formats.tree import (
    RightEdge,
    leaf_hash,
    root_by_inclusion,
    root_of,
    roots_by_consistency,
)
from signals.record.signing import LogSigner, signed_note

LOG = LogSigner("argo.example/record", b"L" * 32)
ENTRIES = [
    Entry("2026-01-02T03:04:05Z", "signal", f"{n:064x}").encoded() for n in range(256 * 256 + 300)
]
LEAVES = list(map(leaf_hash, ENTRIES))


def note_of(size: int, root: bytes) -> Note:
    return signed_note(Checkpoint("argo.example/record", size, root), LOG)


def grow(folder: TileFolder, *sizes: int) -> None:
    """Append and publish up to each size in turn."""
    checkpoint = folder.checkpoint()
    size = checkpoint.size if checkpoint else 0
    for each in sizes:
        folder.publish(note_of(each, folder.append(size, ENTRIES[size:each])))
        size = each


def names(folder: TileFolder) -> set[str]:
    found = (path for path in folder.path.rglob("*") if path.is_file())
    return {path.relative_to(folder.path).as_posix() for path in found}


def test_a_folder_has_the_tiles_of_its_checkpoints_and_no_others(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    grow(folder, 1, 5, 255, 256, 257, 600)
    wanted = {tile_path(*each) for each in tiles_of(600)}
    wanted |= {tile_path("entries", n, width) for n, width in ((0, 256), (1, 256), (2, 88))}
    wanted |= {"checkpoint", "tile/1/000.p/1"}  # of size 256 to 511, and still partial
    assert names(folder) == wanted


def test_many_small_and_large_steps_make_the_same_tree(tmp_path: Path) -> None:
    folder, dice = TileFolder(tmp_path), random.Random(6962)
    sizes = sorted(dice.sample(range(1, 1500), 25))
    grow(folder, *sizes)
    tiles = folder.tiles(sizes[-1])
    assert tiles.root() == root_of(LEAVES[: sizes[-1]])
    assert tiles.entries(0, sizes[-1]) == ENTRIES[: sizes[-1]]
    for size in sizes:
        proof = tiles.consistency(size)
        roots = roots_by_consistency(size, sizes[-1], root_of(LEAVES[:size]), proof)
        assert roots == (root_of(LEAVES[:size]), tiles.root())
    for index in dice.sample(range(sizes[-1]), 30):
        found = root_by_inclusion(LEAVES[index], index, sizes[-1], tiles.inclusion(index))
        assert found == tiles.root()


def test_three_levels_of_tiles(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    grow(folder, 256 * 256 + 100, len(ENTRIES))
    assert (folder.path / "tile/2/000.p/1").stat().st_size == 32
    tiles = folder.tiles(len(ENTRIES))
    edge = RightEdge()
    for leaf in LEAVES:
        edge.append(leaf)
    assert tiles.root() == edge.root()
    index = 256 * 256 + 299
    found = root_by_inclusion(LEAVES[index], index, len(ENTRIES), tiles.inclusion(index))
    assert found == edge.root()


def test_what_a_crash_left_is_written_again(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    grow(folder, 250)
    for lost in (300, 260, 258):  # written, and never published
        folder.append(250, ENTRIES[250:lost])
    other = [*ENTRIES[250:255], *ENTRIES[500:520]]
    root = folder.append(250, other)
    assert root == root_of([*LEAVES[:255], *LEAVES[500:520]])
    folder.publish(note_of(275, root))
    assert folder.tiles(275).entries(250, 275) == other


def test_every_file_is_synced_before_the_checkpoint_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        seen.append(f"sync {os.readlink(f'/proc/self/fd/{descriptor}')}")
        fsync(descriptor)

    def noted_replace(path: Path, target: Path) -> Path:
        seen.append(f"name {target}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    folder = TileFolder(tmp_path / "record")
    grow(folder, 300)
    shown = seen.index(f"name {folder.path / 'checkpoint'}")
    for name in names(folder) - {"checkpoint"}:
        named = seen.index(f"name {folder.path / name}")
        assert seen[named - 1].startswith(f"sync {(folder.path / name).parent}/.")
        assert f"sync {(folder.path / name).parent}" in seen[named:shown]
    assert seen[shown + 1] == f"sync {folder.path}"


def test_entries_of_a_published_checkpoint_are_never_replaced(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    grow(folder, 10)
    with pytest.raises(BadRecord, match="would replace"):
        folder.append(9, ENTRIES[50:60])


def test_a_checkpoint_is_published_only_over_its_own_tiles(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    grow(folder, 10)
    with pytest.raises(BadRecord, match="another root"):
        folder.publish(note_of(10, bytes(32)))
    with pytest.raises(BadRecord, match="missing"):
        folder.publish(note_of(700, bytes(32)))
    with pytest.raises(BadRecord, match="published already"):
        folder.publish(note_of(5, root_of(LEAVES[:5])))


def test_tiles_that_were_altered_stop_the_writer(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    grow(folder, 10)
    tile = tmp_path / tile_path(0, 0, 10)
    tile.write_bytes(bytes(320))
    with pytest.raises(BadRecord, match="another root"):
        folder.append(10, ENTRIES[10:20])
    tile.unlink()
    with pytest.raises(BadRecord, match="missing"):
        folder.append(10, ENTRIES[10:20])


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path / "record")
    grow(folder, 3)
    modes = {path.stat().st_mode & 0o777 for path in folder.path.rglob("*") if path.is_file()}
    assert modes == {files.FILE_MODE}
