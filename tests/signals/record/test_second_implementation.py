"""Programs that Argo did not write read what Argo writes: Go's sumdb packages, and OpenSSL."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from signals.record.bundle import make_proof
from signals.record.folder import TileFolder
from signals.record.formats.checkpoints import Checkpoint, cosigned_message
from signals.record.formats.encoding import base64_text
from signals.record.formats.entries import Entry
from signals.record.formats.tree import leaf_hash, root_of
from signals.record.log.keys import KeyFiles
from signals.record.signing import LogSigner, WitnessSigner, signed_note, with_cosignatures
from tests.services import required
from tests.signals.record.log.helpers import ORIGIN, Node

PACKAGES = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")
MISSING = "Go or its packages are missing: apt-get install golang-go golang-golang-x-mod-dev"
PROGRAM = Path(__file__).parent / "second" / "main.go"
LOG = LogSigner("argo.example/record", b"L" * 32)
WITNESS = WitnessSigner("witness.example/w1", b"W" * 32)
SIZE = 600
ENTRIES = [Entry("2026-01-02T03:04:05Z", "signal", f"{n:064x}").encoded() for n in range(SIZE)]
LEAVES = list(map(leaf_hash, ENTRIES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> TileFolder:
    folder = TileFolder(tmp_path_factory.mktemp("record"))
    for begin, end in ((0, 100), (100, 300), (300, SIZE)):
        root = folder.append(begin, ENTRIES[begin:end])
        note = signed_note(Checkpoint(LOG.key.name, end, root), LOG)
        folder.publish(with_cosignatures(note, WITNESS.cosign(note.text, 1_767_323_045)))
    return folder


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the second implementation, compiled; skip the test without Go, except in CI."""
    go = shutil.which("go")
    if go is None or not PACKAGES.is_dir():
        (pytest.fail if required() else pytest.skip)(MISSING)
    made = tmp_path_factory.mktemp("go")
    places = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(made / "cache")}
    command = [str(go), "build", "-o", str(made / "second"), str(PROGRAM)]
    subprocess.run(command, check=True, cwd=made, env=os.environ | places)
    return made / "second"


def answer(program: Path, folder: TileFolder, proofs: Path) -> str:
    public = base64_text(WITNESS.key.public)
    keys = [str(LOG.key), WITNESS.key.name, public]
    command = [str(program), str(folder.path), *keys, str(proofs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def proofs_of(folder: TileFolder) -> dict[str, list[dict[str, object]]]:
    tiles = folder.tiles(SIZE)
    inclusion: list[dict[str, object]] = []
    for index in (*range(0, SIZE, 13), SIZE - 1):
        proof = make_proof(tiles, b"", index, b"")
        inclusion.append({"Index": index, "Proof": list(map(base64_text, proof.hashes))})
    consistency: list[dict[str, object]] = [
        {
            "Old": old,
            "Root": base64_text(root_of(LEAVES[:old])),
            "Proof": list(map(base64_text, tiles.consistency(old))),
        }
        for old in (1, 2, 100, 255, 256, 257, 512, 599, 600)
    ]
    return {"Inclusion": inclusion, "Consistency": consistency}


def test_go_reads_tiles_checkpoint_cosignature_and_proofs(
    program: Path, folder: TileFolder, tmp_path: Path
) -> None:
    file = tmp_path / "proofs.json"
    proofs = proofs_of(folder)
    file.write_text(json.dumps(proofs))
    assert answer(program, folder, file) == "ok"
    proofs["Inclusion"][0]["Index"] = 1
    file.write_text(json.dumps(proofs))
    assert answer(program, folder, file) != "ok"


@pytest.mark.django_db(transaction=True)
def test_go_reads_what_argo_serves(
    program: Path, live_server: LiveServer, settings: Settings, tmp_path: Path
) -> None:
    settings.RECORD_PUBLIC = True
    node = Node(tmp_path, "default")
    node.publish()
    for begin, end in ((0, 150), (150, 260)):
        node.enter(*range(begin, end))
        node.publish()
    key = KeyFiles(tmp_path, ORIGIN).current().key
    command = [str(program), f"{live_server.url}/record"]
    done = subprocess.run([*command, str(key), "", ""], capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr).strip() == "ok"
    other = subprocess.run([*command, str(LOG.key), "", ""], capture_output=True, check=False)
    assert other.returncode != 0
    node.journal.close()


@pytest.mark.parametrize("signer", [LOG, WITNESS], ids=["log", "witness"])
def test_openssl_accepts_the_signatures(signer: LogSigner | WitnessSigner, tmp_path: Path) -> None:
    text = Checkpoint(LOG.key.name, SIZE, root_of(LEAVES)).text()
    if isinstance(signer, LogSigner):
        message, signature = text.encode(), signer.sign(text).signature
    else:
        message, signature = cosigned_message(text, 7), signer.cosign(text, 7).signature[8:]
    der = bytes.fromhex("302a300506032b6570032100") + signer.key.public
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"
    for name, data in (("key", pem), ("message", message), ("signature", signature)):
        (tmp_path / name).write_bytes(data)
    command = "openssl pkeyutl -verify -pubin -inkey key -rawin -in message -sigfile signature"
    assert subprocess.run(command.split(), cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "message").write_bytes(message + b"x")
    assert subprocess.run(command.split(), cwd=tmp_path, check=False).returncode != 0
