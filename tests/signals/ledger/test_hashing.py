"""The signal hash passes every vector of the contract."""

import json
from pathlib import Path
from typing import Any

import pytest

from signals.clock import utc_now
from signals.ledger.hashing import Hashed, hashed_text, id_text, matches, sha256_of, signal_id_of
from signals.ledger.records import HashMismatch, encode
from tests.samples import a_signal

VECTORS = json.loads(Path(__file__).with_name("signal-hash-vectors.json").read_text())


def _line(signal: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(encode(signal, utc_now(), "test")[1])
    return fields


def _hashed(line: dict[str, Any]) -> Hashed:
    return Hashed(*(line[name] for name in Hashed._fields))


@pytest.fixture(params=VECTORS, ids=lambda vector: vector["name"])
def vector(request: pytest.FixtureRequest) -> dict[str, Any]:
    case: dict[str, Any] = request.param
    return case


def test_a_signal_is_stored_with_the_id_and_hash_of_the_contract(vector: dict[str, Any]) -> None:
    line = _line(vector["input"])
    assert (line["signal_id"], line["sha256"]) == (vector["signal_id"], vector["sha256"])


def test_the_canonical_texts_are_those_of_the_contract(vector: dict[str, Any]) -> None:
    hashed = _hashed(_line(vector["input"]))
    assert hashed_text(hashed, vector["signal_id"]) == vector["hashed_text"]
    if vector["id_text"] is not None:
        assert id_text(hashed) == vector["id_text"]
        assert signal_id_of(hashed) == vector["signal_id"]


def test_the_canonical_text_is_what_json_dumps_writes(vector: dict[str, Any]) -> None:
    hashed = _hashed(_line(vector["input"]))
    fields = {**hashed._asdict(), "signal_id": vector["signal_id"]}
    assert hashed_text(hashed, vector["signal_id"]) == json.dumps(fields, sort_keys=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "aapl"},
        {"action": "buy"},
        {"entry_price": 150, "stop_price": 146},
        {"timestamp": "2025-01-15T05:30:00-05:00"},
        {"timestamp": "2025-01-15T10:30:00.000000+00:00"},
        {"signal_id": None, "sha256": None},
    ],
    ids=str,
)
def test_one_signal_has_one_hash_however_it_is_written(changes: dict[str, Any]) -> None:
    """Fault 19: the hash depended on int or float, on case, and on absent or null."""
    plain = a_signal(entry_price=150.0, confidence=80.0)
    other = {**plain, **changes}
    assert _line(other)["sha256"] == _line(plain)["sha256"]


def test_a_given_hash_is_checked() -> None:
    with pytest.raises(HashMismatch, match="sha256"):
        encode(a_signal(sha256="0" * 64), utc_now(), "test")


def test_whole_numbers_hashed_as_integers_by_the_older_system_are_accepted() -> None:
    older = Hashed("AAPL", "BUY", 150, 158, 146, 80.5, "test", "2025-01-15T10:30:00Z")
    sha256 = sha256_of(older, "old")
    floats = older._replace(entry_price=150.0, target_price=158.0, stop_price=146.0)
    assert matches(floats, "old", sha256)
    line = _line({**floats._asdict(), "signal_id": "old", "sha256": sha256})
    assert line["sha256"] == sha256


def test_only_a_signal_with_its_own_hash_keeps_its_own_spelling_of_utc() -> None:
    spelled = "2025-01-15T10:30:00+00:00"
    assert _line(a_signal(timestamp=spelled))["timestamp"] == "2025-01-15T10:30:00Z"
    hashed = _hashed(_line(a_signal()))._replace(timestamp=spelled)
    own = {**hashed._asdict(), "signal_id": "own", "sha256": sha256_of(hashed, "own")}
    assert _line(own)["timestamp"] == spelled
