"""Proofs: one out of ten million entries, from tiles that are made up for it, and the command's."""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from signals.config import journal
from signals.models import Signal
from signals.record.bundle import make_proof
from signals.record.folder import TileFolder
from signals.record.formats.checkpoints import Checkpoint
from signals.record.formats.encoding import HASH_BYTES
from signals.record.formats.tiles import FULL_TILE_BYTES, WIDTH, TileReader, tile_path
from signals.record.formats.tree import root_by_inclusion, root_of
from signals.record.proving.signal import prove_signal
from signals.record.signing import LogSigner, signed_note
from tests.benchmarks.figures import Figure, at_most, distribution
from tests.benchmarks.rounds import processor_seconds
from tests.benchmarks.workspace import Workspace, say

PROOFS = 500
MOST_MS = 5
SIGNER = LogSigner("benchmark.example/record", bytes(32))


def figures(workspace: Workspace) -> Iterator[Figure]:
    """Time proofs of entries that are chosen at random; each is led to the root again.

    It is processor time, because the machine may have other work.
    """
    size = workspace.size(10_000_000, 1_000_000) - 123
    folder = TileFolder(workspace.folder / "made-up")
    say(f"  making the tiles of {size:,} entries")
    make_tiles(folder.path, size)
    checkpoint = Checkpoint(SIGNER.key.name, size, folder.root(size))
    note = signed_note(checkpoint, SIGNER).encoded()
    delays = sorted(_proved(folder, checkpoint, note) for _ in range(PROOFS))
    yield _figure(f"a proof out of {size:,} entries, processor time", delays)
    ids = list(Signal.objects.order_by("pk").values_list("signal_id", flat=True)[:20_000:200])
    delays = sorted(map(_seconds_of, ids))
    yield Figure("- prove_signal, with all that it reads, processor time",
                 distribution(delays))  # fmt: skip


def make_tiles(folder: Path, size: int) -> None:
    """Write the tiles of a tree of `size` leaves with random hashes; nothing is synced."""
    level, count = 0, size
    make: Callable[[int, int], bytes] = lambda first, width: os.urandom(width * HASH_BYTES)  # noqa: E731
    while count:
        above = []
        for first in range(0, count, WIDTH):
            data = make(first, min(WIDTH, count - first))
            _write(folder / tile_path(level, first // WIDTH, len(data) // HASH_BYTES), data)
            if len(data) == FULL_TILE_BYTES:
                above.append(root_of(_hashes(data)))
        level, count, make = level + 1, len(above), _slices(above)


def _slices(hashes: Sequence[bytes]) -> Callable[[int, int], bytes]:
    return lambda first, width: b"".join(hashes[first : first + width])


def _hashes(data: bytes) -> Iterator[bytes]:
    return (data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _proved(folder: TileFolder, checkpoint: Checkpoint, note: bytes) -> float:
    """Return the processor seconds that a proof takes, with nothing read before."""
    index = random.randrange(checkpoint.size)
    found: list[bytes] = []
    taken = processor_seconds(lambda: found.append(_proof(folder, checkpoint.size, note, index)))
    tiles = folder.tiles(checkpoint.size)
    proof = make_proof(tiles, note, index, bytes(16))
    assert found == [proof.encoded()]
    root = root_by_inclusion(tiles.node(0, index), index, checkpoint.size, proof.hashes)
    assert root == checkpoint.root
    return taken


def _proof(folder: TileFolder, size: int, note: bytes, index: int) -> bytes:
    tiles: TileReader = folder.tiles(size)
    return make_proof(tiles, note, index, bytes(16)).encoded()


def _seconds_of(signal_id: str) -> float:
    return processor_seconds(partial(prove_signal, signal_id, [journal()]))


def _figure(what: str, delays: Sequence[float]) -> Figure:
    late = delays[int(0.99 * (len(delays) - 1))] * 1000
    return at_most(f"{what}: 99% within", late, MOST_MS, " ms", reference=distribution(delays))
