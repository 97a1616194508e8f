"""A closed signal is proved with every change of its outcome, and each fraud with them is found."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from signals.clock import utc_now
from signals.ledger.outcomes import record_outcome
from signals.record.formats.proofs import parse_proof
from tests.signals.record.log.helpers import Node
from tests.signals.record.proving.conftest import Owner
from tests.signals.record.proving.test_proving import Reader, prove

pytestmark = pytest.mark.django_db(transaction=True)


class Given:
    """The files that a reader gets: the lines, and a proof for each of them."""

    def __init__(self, folder: Path) -> None:
        self.signal = folder / "p.tlog-proof"
        self.outcomes = sorted(folder.glob("p.outcome-*.tlog-proof"))
        self.lines = folder / "p.line"

    def checked(self, reader: Reader) -> dict[str, Any]:
        outcomes = [word for each in self.outcomes for word in ("--outcome", str(each))]
        return reader.check(self.signal, "--line", str(self.lines), *outcomes)

    def faults(self, reader: Reader) -> set[str]:
        return {each["code"] for each in self.checked(reader)["faults"]}


def close(owner: Node, name: str, outcome: str, price: float) -> None:
    record_outcome(
        name, outcome=outcome, exit_price=price, who="ann", why="exit", now=utc_now(),
        journal=owner.journal,
    )  # fmt: skip


@pytest.fixture
def reader(owner: Owner, tmp_path: Path) -> Reader:
    return Reader(tmp_path / "reader", owner)


@pytest.fixture
def given(owner: Owner, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Given:
    """Return the proof of a signal that was a loss first, and a win by a later correction."""
    owner.enter(1, 2)
    owner.cosign(0, 1)
    close(owner, "signal-1", "loss", 146.0)
    close(owner, "signal-2", "loss", 140.0)
    owner.enter(3)
    owner.cosign(0, 2)
    close(owner, "signal-1", "win", 158.0)
    owner.enter(4)
    owner.cosign(1, 2)
    made = prove(capsys, "prove_signal", "signal-1", "--output", str(tmp_path / "p.tlog-proof"))
    assert [each["index"] for each in made["outcomes"]] == sorted(
        each["index"] for each in made["outcomes"]
    )
    found = Given(tmp_path)
    assert [str(each) for each in found.outcomes] == [each["proof"] for each in made["outcomes"]]
    return found


def test_a_closed_signal_is_proved_with_its_outcomes(given: Given, reader: Reader) -> None:
    found = given.checked(reader)
    assert found["faults"] == []
    assert (found["signal_id"], found["kind"], found["outcome"]) == ("signal-1", "signal", "win")
    assert [each["kind"] for each in found["outcomes"]] == ["outcome", "outcome"]
    assert found["outcomes"][0]["existed_by"] <= found["outcomes"][1]["existed_by"]
    assert "cannot show" in found["remarks"][0]
    call_command("verify_record", str(given.signal), "--policy", str(reader.folder / "policy"),
                 "--line", str(given.lines),
                 *(f"--outcome={each}" for each in given.outcomes))  # fmt: skip


def test_an_edited_outcome_is_found(given: Given, reader: Reader) -> None:
    lines = given.lines.read_bytes()
    assert b'"loss"' in lines
    given.lines.write_bytes(lines.replace(b'"loss"', b'"win"'))
    assert "inclusion" in given.faults(reader)


def test_an_outcome_left_out_with_its_line_is_found(given: Given, reader: Reader) -> None:
    signal, _, win = given.lines.read_bytes().splitlines(keepends=True)
    given.lines.write_bytes(signal + win)
    del given.outcomes[0]
    assert given.faults(reader) == {"outcome"}


def test_a_line_without_its_proof_is_found(given: Given, reader: Reader) -> None:
    del given.outcomes[1]
    assert "proof" in given.faults(reader)


def test_outcomes_of_another_signal_are_found(
    given: Given, reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = prove(capsys, "prove_signal", "signal-2", "--output", str(tmp_path / "q.tlog-proof"))
    signal = given.lines.read_bytes().splitlines(keepends=True)[0]
    other = Path(made["line"]).read_bytes().splitlines(keepends=True)[1]
    given.lines.write_bytes(signal + other)
    given.outcomes = [Path(made["outcomes"][0]["proof"])]
    assert given.checked(reader)["outcome"] is None
    assert "not shown" in " ".join(given.checked(reader)["remarks"])


def test_swapped_outcomes_are_found(given: Given, reader: Reader) -> None:
    given.outcomes.reverse()
    assert "inclusion" in given.faults(reader)


def test_one_outcome_shown_twice_is_found(given: Given, reader: Reader) -> None:
    signal, loss, _ = given.lines.read_bytes().splitlines(keepends=True)
    given.lines.write_bytes(signal + loss + loss)
    given.outcomes = [given.outcomes[0], given.outcomes[0]]
    assert "line" in given.faults(reader)


def test_a_moved_proof_of_an_outcome_is_found(given: Given, reader: Reader) -> None:
    proof = parse_proof(given.outcomes[0].read_bytes())
    text = given.outcomes[0].read_bytes()
    given.outcomes[0].write_bytes(
        text.replace(f"index {proof.index}\n".encode(), f"index {proof.index + 1}\n".encode())
    )
    assert "inclusion" in given.faults(reader)


def test_an_outcome_that_is_not_signed_yet_is_refused(
    owner: Owner, given: Given, tmp_path: Path
) -> None:
    close(owner, "signal-1", "breakeven", 150.5)
    with pytest.raises(CommandError, match="not in the record yet"):
        call_command("prove_signal", "signal-1", "--output", str(tmp_path / "r"))


def test_an_outcome_of_another_machine_is_proved_with_its_folder(
    owner: Owner, reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.enter(1)
    other = Node(tmp_path / "other", "default")
    close(other, "signal-1", "win", 158.0)
    other.enter()
    owner.cosign(0, 1)
    ask = ("signal-1", "--output", str(tmp_path / "p.tlog-proof"))
    with pytest.raises(CommandError, match="another machine"):
        call_command("prove_signal", *ask)
    prove(capsys, "prove_signal", *ask, "--journal", str(other.folder))
    found = Given(tmp_path).checked(reader)
    assert (found["faults"], found["outcome"]) == ([], "win")
    other.journal.close()
