"""Three Argos, each with a record that the two others witness; one of them lies."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from argo.up.port import next_free
from signals.record.formats.checkpoints import parse_checkpoint
from signals.record.formats.notes import parse_key, parse_note
from signals.record.formats.policy import parse_policy
from signals.record.log.disk import Disk
from signals.record.quorum import parse_quorum
from signals.record.submission import Submission
from signals.record.verifier.check import Asked
from signals.record.verifier.cli import verify
from signals.witness.keys import origin_digest
from tests.installation import Installation
from tests.signals.record.sample import codes
from tests.web_server import served

pytestmark = pytest.mark.slow  # three real web servers, and the processes of three machines
NAMES = ("ann", "bob", "cy")
BEGIN = """
from signals.tasks import publish_record
from signals.witness.keys import make_key
from signals.record.log.service import opening
publish_record()
print(make_key("{name}.example/witness").key, opening().keys.current().key)
"""
WATCH = """
from signals.clock import utc_now
from signals.witness.logs import watch
for key in {keys}: watch(key, now=utc_now())
"""
TRADE = """
from signals.tasks import enter_record, flush, publish_record, sequence
from signals.tracker import SignalTracker
from tests.samples import signals
tracker = SignalTracker()
tracker.log_signals(signals({count}))
tracker.close()
flush(), sequence(), enter_record(), publish_record()
"""
"""Taken signals, and what the workers do a moment later."""
WITNESS = """
from sync.record.running import witness_now
found = witness_now()
print(found["cosigned"], found["needed"])
"""
CLAIM = """
from django.core.management import call_command
call_command("record", "--claim")
"""
PERIOD = ("--since", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z")


@dataclass
class Peer:
    """One of the three; its keys as the others know them."""

    name: str
    port: int
    argo: Installation
    keys: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/witness"

    def run(self, code: str) -> tuple[int, str]:
        """Run Python code in its process; return the exit code and what it printed."""
        done = self.argo.manage("shell", "--no-imports", "-c", code)
        return done.returncode, done.stdout + done.stderr

    def ask(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        done = self.argo.manage(*arguments, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def peers(migrated_folder: Path, tmp_path: Path, port: int) -> Iterator[list[Peer]]:
    """Return the three, whose web servers run; each needs both others."""
    made = []
    for name in NAMES:
        shutil.copytree(migrated_folder, tmp_path / name)
        port = next_free("127.0.0.1", port + 1)
        settings = {"ARGO_WEB_PORT": str(port), "RECORD_ORIGIN": f"{name}.example/record"}
        made.append(Peer(name, port, Installation(tmp_path / name, settings)))
    for each in made:
        code, printed = each.run(BEGIN.format(name=each.name))
        assert code == 0, printed
        each.keys = printed.split()[-2:]
    for each in made:
        others = [peer for peer in made if peer is not each]
        each.argo.settings["RECORD_WITNESSES"] = ", ".join(
            f"{peer.keys[0]} {peer.address}" for peer in others
        )
        assert each.run(WATCH.format(keys=[peer.keys[1] for peer in others]))[0] == 0
    with ExitStack() as stack:
        with ThreadPoolExecutor() as pool:
            servers = [served(each.argo, each.port) for each in made]
            list(pool.map(stack.enter_context, servers))
        yield made


def submit(liar: Peer, witness: Peer, known: int) -> int:
    """Submit the liar's checkpoint by hand; return the witness's answer."""
    disk = Disk(liar.argo.folder)
    shown = disk.published()
    assert shown is not None
    proof = tuple(disk.folder.tiles(shown.size).consistency(known))
    body = Submission(known, proof, shown.note.encoded()).encoded()
    return requests.post(f"{witness.address}/add-checkpoint", body, timeout=20).status_code


def test_two_histories_are_not_witnessed_and_the_others_go_on(
    peers: list[Peer], tmp_path: Path
) -> None:
    ann, bob, cy = peers
    shutil.copytree(cy.argo.folder, tmp_path / "other-cy")
    assert cy.run(TRADE.format(count=2) + WITNESS) == (0, "2 2\n")

    # Cy goes back to an older copy, to write another history. Argo asks the witnesses first.
    settings = dict(cy.argo.settings)
    liar = Peer("cy", cy.port, Installation(tmp_path / "other-cy", settings), cy.keys)
    code, printed = liar.run(CLAIM)
    assert code != 0
    assert "A witness has seen" in printed
    witnesses = settings.pop("RECORD_WITNESSES")
    assert liar.run(CLAIM + TRADE.format(count=6))[0] == 0
    cosigned = size_at(ann, "cy.example/record")
    for witness in (ann, bob):
        assert submit(liar, witness, cosigned) == 422
        assert submit(liar, witness, cosigned - 1) == 409
    settings["RECORD_WITNESSES"] = witnesses
    code, printed = liar.run(CLAIM)
    assert code != 0
    assert "A witness has seen other entries" in printed

    assert ann.run(TRADE.format(count=1) + WITNESS) == (0, "2 2\n")
    check_bundles(ann, liar, tmp_path)


def size_at(witness: Peer, origin: str) -> int:
    """Return the size that a witness has cosigned."""
    found = requests.get(f"{witness.address}/{origin_digest(origin)}/checkpoint", timeout=20)
    return parse_checkpoint(parse_note(found.content).text).size


def check_bundles(honest: Peer, liar: Peer, folder: Path) -> None:
    """Check what a reader of both gets, who trusts the witnesses."""
    faults = {}
    for peer in (honest, liar):
        bundle = str(folder / f"{peer.name}.zip")
        peer.ask("prove_record", *PERIOD, "--output", bundle, "--reveal", "all")
        named = parse_quorum(peer.argo.settings["RECORD_WITNESSES"].split(", "))
        policy = parse_policy(named.policy([parse_key(peer.keys[1])]))
        faults[peer.name] = codes(verify(bundle, Asked(policy)))
    assert faults == {"ann": set(), "cy": {"witnesses"}}
