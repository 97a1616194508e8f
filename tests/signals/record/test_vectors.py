"""The formats pass every vector of the transparency contract, and public ones of their own."""

import base64
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from signals.record.bundle import make_proof
from signals.record.folder import TileFolder
from signals.record.formats.checkpoints import Checkpoint, cosigned_at, parse_checkpoint
from signals.record.formats.encoding import base64_text
from signals.record.formats.entries import Entry, digest_of, parse_entry, salt_of
from signals.record.formats.notes import is_signed, parse_key, parse_note
from signals.record.formats.proofs import parse_proof
from signals.record.formats.tiles import entries_path, grouped
from signals.record.formats.tree import (
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    root_by_inclusion,
    root_of,
    roots_by_consistency,
)
from signals.record.signing import LogSigner, WitnessSigner, signed_note, with_cosignatures

VECTORS = json.loads(Path(__file__).with_name("transparency-vectors.json").read_text())
ORIGIN = "argo.example/record"
LOG = LogSigner(ORIGIN, bytes.fromhex(VECTORS["private_seed"]))
WITNESS = WitnessSigner("witness.example/w1", bytes.fromhex(VECTORS["witness_seed"]))
AT = "2026-01-02T03:04:05Z"
TIME = int(datetime.fromisoformat(AT).timestamp())


def line(n: int) -> bytes:
    return json.dumps({"n": n}).encode()


def salt(n: int) -> bytes:
    return hashlib.sha256(b"salt %d" % n).digest()[:16]


ENTRIES = [Entry(AT, "signal", digest_of(salt(n), line(n))).encoded() for n in range(300)]
LEAVES = list(map(leaf_hash, ENTRIES))


def root(begin: int, end: int) -> bytes:
    return root_of(LEAVES[begin:end])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> TileFolder:
    """Return a folder with the 300 entries of the vectors, appended in two parts."""
    folder = TileFolder(tmp_path_factory.mktemp("record"))
    folder.append(0, ENTRIES[:9])
    folder.publish(signed_note(Checkpoint(ORIGIN, 9, root(0, 9)), LOG))
    folder.append(9, ENTRIES[9:])
    return folder


def test_entries_and_leaf_hashes() -> None:
    for n, vector in enumerate(VECTORS["entries"]):
        assert ENTRIES[n].decode() == vector["entry"]
        assert LEAVES[n].hex() == vector["leaf_hash"]


@pytest.mark.parametrize("kind", VECTORS["kinds"])
def test_each_kind_has_one_form(kind: str) -> None:
    assert parse_entry(kind.encode()).encoded() == kind.encode()


def test_the_salt_of_a_line_follows_from_the_key_and_its_place() -> None:
    vector = VECTORS["salt"]
    key, data = bytes.fromhex(vector["salt_key"]), vector["line"].encode()
    found = salt_of(key, vector["journal"], vector["segment"], vector["byte"], data)
    assert found.hex() == vector["salt"]
    assert digest_of(found, data) == vector["digest"]


def test_roots() -> None:
    for size, wanted in VECTORS["roots"].items():
        assert root(0, int(size)).hex() == wanted


def test_roots_of_rfc_6962() -> None:
    leaves = [leaf_hash(bytes.fromhex(each)) for each in VECTORS["rfc6962"]["leaves"]]
    for size, wanted in enumerate(VECTORS["rfc6962"]["roots"]):
        assert root_of(leaves[:size]).hex() == wanted


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=lambda v: f"{v['index']}-{v['size']}")
def test_inclusion_proofs(vector: dict[str, Any]) -> None:
    index, size = vector["index"], vector["size"]
    proof = [root(*each) for each in inclusion_ranges(index, size)]
    assert [each.hex() for each in proof] == vector["proof"]
    assert root_by_inclusion(LEAVES[index], index, size, proof) == root(0, size)


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda v: f"{v['old']}-{v['new']}")
def test_consistency_proofs(vector: dict[str, Any]) -> None:
    old, new = vector["old"], vector["new"]
    proof = [root(*each) for each in consistency_ranges(old, new)]
    assert [each.hex() for each in proof] == vector["proof"]
    assert roots_by_consistency(old, new, root(0, old), proof) == (root(0, old), root(0, new))


def test_paths_of_tiles() -> None:
    for index, wanted in VECTORS["tile_paths"].items():
        assert grouped(int(index)) == wanted


def test_tiles_and_entries_in_a_folder(folder: TileFolder) -> None:
    for path, wanted in VECTORS["tiles_of_300"].items():
        assert base64_text((folder.path / path).read_bytes()) == wanted
    bundle = (folder.path / entries_path(1, 44)).read_bytes()
    assert base64_text(bundle) == VECTORS["entry_bundle_tile_entries_001.p_44"]


def test_keys_signatures_and_cosignatures() -> None:
    assert str(LOG.key) == VECTORS["vkey"]
    assert str(WITNESS.key) == VECTORS["witness_vkey"]
    for size in (9, 300):
        note = signed_note(Checkpoint(ORIGIN, size, root(0, size)), LOG)
        assert note.encoded().decode() == VECTORS[f"checkpoint_{size}"]
    note = parse_note(VECTORS["cosigned_300"].encode())
    assert cosigned_at(note, WITNESS.key) == TIME
    plain = parse_note(VECTORS["checkpoint_300"].encode())
    assert with_cosignatures(plain, WITNESS.cosign(note.text, TIME)) == note


def test_a_rotation_is_signed_by_both_keys() -> None:
    new = LogSigner(ORIGIN, bytes.fromhex(VECTORS["rotation_seed"]))
    assert str(new.key) == VECTORS["rotation_vkey"]
    note = signed_note(Checkpoint(ORIGIN, 300, root(0, 300)), LOG, new)
    assert note.encoded().decode() == VECTORS["checkpoint_300_signed_by_both_keys"]
    assert is_signed(note, LOG.key)
    assert is_signed(note, new.key)


def test_a_proof_file_is_made_from_tiles(folder: TileFolder) -> None:
    note = parse_note(VECTORS["checkpoint_9"].encode())
    cosigned = with_cosignatures(note, WITNESS.cosign(note.text, TIME))
    proof = make_proof(folder.tiles(9), cosigned.encoded(), 5, salt(5))
    assert proof.encoded().decode() == VECTORS["tlog_proof_5_of_9"]
    assert parse_proof(proof.encoded()) == proof


def test_a_consistency_proof_is_made_from_tiles(folder: TileFolder) -> None:
    proof = folder.tiles(300).consistency(9)
    lines = ["old 9", *map(base64_text, proof), "", VECTORS["checkpoint_300"]]
    assert "\n".join(lines) == VECTORS["add_checkpoint_9_to_300"]


def test_the_example_of_the_signed_note_specification() -> None:
    key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    note = (
        "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6"
        "TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    assert is_signed(parse_note(note.encode()), parse_key(key))


def test_the_example_of_the_checkpoint_specification() -> None:
    data = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URY"
        "N7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9"
        "dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    note = parse_note(data.encode())
    assert note.encoded() == data.encode()
    found = parse_checkpoint(note.text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert int.from_bytes(note.signatures[1].signature[:8], "big") == 1679315147
    assert base64.b64encode(found.root).startswith(b"CsUYapGG")
