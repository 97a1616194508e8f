"""Whatever the door, a signal is accepted with the same row, or refused for the same faults."""

import json
import re
from typing import Any

import pytest

from tests.samples import a_signal
from tests.signals.doors.doors import ALL, Doors, Result


def _json(**changes: Any) -> bytes:  # noqa: ANN401
    return json.dumps(a_signal(confidence=80.0, **changes)).encode()


def _with(more: str) -> bytes:
    """Return a signal with this text at the end of its object."""
    return _json()[:-1] + f", {more}}}".encode()


def _through_all(doors: Doors, *texts: bytes) -> Result:
    """Return what became of the texts, which must be the same at every door."""
    results = {door: doors.through(door, *texts) for door in ALL}
    first = results["single"]
    assert results == dict.fromkeys(ALL, first)
    return first


ACCEPTED = {
    "plain": _json(),
    "with a byte order mark": b"\xef\xbb\xbf" + _json(),
    "in lines of Windows": _json() + b"\r\n",
    "with spaces around": b"  " + _json() + b"  ",
    "escaped": _json(reasoning='a "quoted" word\nand \\ another'),
    "escaped quotes": _json(reasoning='\\"\\\\"', note={'a"\\': '"', "b\\": "\\\\"}),
    "own id": _json(signal_id="mine"),
    "no strategy": _json(strategy=...),
    "alpine's names": _json(target_price=..., stop_price=..., take_profit=158.0, stop_loss=146.0),
    "the same by two names": _json(take_profit=158),
    "nested": _json(votes=[{"source": "a", "votes": [{"source": "a"}]}], note={"a": {"a": 1}}),
    "the same key in two objects": _json(votes=[{"source": "a"}, {"source": "b"}], source="c"),
    "continuous future": _json(symbol="NQ1!"),
    "future of an exchange": _json(symbol="CME_MINI:MNQ1!"),
    "future by month": _json(symbol="MNQ 03-26"),
    "future with an at sign": _json(symbol="@ES"),
    "index": _json(symbol="$SPX"),
    "suffix of a broker": _json(symbol="EURUSDm"),
    "brackets": _json(symbol="[ES] (CME)"),
    "umlaut": _json(symbol="Ä"),
    "hash sign": _json(symbol="#AAPL"),
    "quote": _json(symbol="A'B"),
}
PLACE = re.compile(r" at line \d+ column \d+| at \d+")
LATIN = "is not UTF-8: it has the byte 0xfc. Send it as UTF-8; it may be Latin-1 or Windows-1252"
ZERO = "has a zero byte at its beginning, as UTF-16 and UTF-32 have: send UTF-8"
UNREADABLE = {
    "another encoding": (
        _json(strategy="ü").decode().encode("utf-16"), "is UTF-16: send it as plain UTF-8"
    ),
    "another encoding without a mark": (_json().decode().encode("utf-16-le"), ZERO),
    "utf-32": (_json().decode().encode("utf-32"), "is UTF-32: send it as plain UTF-8"),
    "compressed": (
        b"\x1f\x8b\x08\x00" + b"x" * 20,
        "is compressed with gzip: send it as plain UTF-8",
    ),
    "latin-1": (
        _json()[:-1] + ', "note": "ü"}'.encode("latin-1"),
        LATIN,
    ),
    "half a character": (
        _json().replace(b"AAPL", b"\\ud800"),
        "is not JSON: unexpected end of hex escape",
    ),
    "not a number": (_json().replace(b"150.5", b"NaN"), "is not JSON: expected value"),
    "too deep": (
        _with('"note": ' + "[" * 300 + "]" * 300), "is not JSON: recursion limit exceeded"
    ),
    "no json": (b"{nope", "is not JSON: key must be a string"),
    "cut short": (_json()[:-9], "is not JSON: EOF while parsing a string"),
    "a long line": (
        _json(note="x" * 2**20), "has more than 1048576 bytes, the limit for one signal"
    ),
}  # fmt: skip
REFUSED = {
    "a key twice": (_with('"symbol": "MSFT"'), "symbol: is given twice"),
    "a key twice with one value": (_with('"symbol": "AAPL"'), "symbol: is given twice"),
    "an escaped key twice": (_with('"\\u0073ymbol": "MSFT"'), "symbol: is given twice"),
    "an unknown key twice": (_with('"note": 1, "note": 2'), "note: is given twice"),
    "a key twice beside escapes": (
        _with(r'"note": "\\\"\\", "symbol": "\"\\"'),
        "symbol: is given twice",
    ),
    "an inner key twice": (_with('"note": {"a": [{"b": 1, "b": 2}]}'), "b: is given twice"),
    "a vote with a key twice": (_with('"votes": [{"source": "a", "source": "b"}]'), "source: is"),
    "two names": (_json(take_profit=159.0), "take_profit: differs from target_price"),
    "two names, one of them true": (_json(agreement=1.0, consensus_agreement=True), "differs"),
    "two hashes": (
        _json(signal_id="a", sha256="0" * 64, verification_hash="1" * 64),
        "verification_hash: diff",
    ),
    "two names and another fault": (_json(action="HOLD", take_profit=1.0), "action: must be BUY"),
    "no symbol": (_json(symbol=""), "symbol: "),
    "a long symbol": (_json(symbol="X" * 33), "32 characters"),
    "long capitals": (_json(symbol="ß" * 17), "symbol: must be 1 to 32 printable"),
    "a control character": (_json(symbol="A\u0007"), "printable"),
    "an invisible character": (_json(symbol="A\u200b"), "printable"),
    "an override": (_json(symbol="A\u202e"), "printable"),
    "a line break": (_json(symbol="A\n"), "printable"),
    "a tab": (_json(symbol="A\tB"), "printable"),
    "a space at the end": (_json(symbol="AAPL "), "without a space at either end"),
    "a time with a NUL": (_json(timestamp="2025-01-15T10:30:00Z\0"), "timestamp: has a control"),
    "an unknown field of Argo's": (_json(symbol_as_sent="x"), "symbol_as_sent: Argo writes"),
    "many votes that are none": (_json(votes=[1] * 1000), "votes.0: "),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_every_door_accepts_it_alike(doors: Doors, name: str) -> None:
    faults, rows, dead = _through_all(doors, ACCEPTED[name])
    assert (faults, len(rows), dead) == ("", 1, 0)


@pytest.mark.parametrize("name", REFUSED)
def test_every_door_refuses_it_alike(doors: Doors, name: str) -> None:
    text, why = REFUSED[name]
    faults, rows, dead = _through_all(doors, text)
    assert why in faults
    assert (rows, dead) == ([], 0)


@pytest.mark.parametrize("name", UNREADABLE)
def test_every_door_says_why_it_cannot_read_a_text(doors: Doors, name: str) -> None:
    text, why = UNREADABLE[name]
    found = {door: doors.through(door, text) for door in ALL if door != "array"}
    assert {PLACE.sub("", result.faults).removeprefix("body: ") for result in found.values()} == {
        why
    }
    assert not any(result.rows or result.dead for result in found.values())


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_array_of_it_is_refused_as_a_whole(doors: Doors, name: str) -> None:
    faults, rows, dead = doors.through("array", UNREADABLE[name][0])
    assert faults
    assert (rows, dead) == ([], 0)


def test_the_senders_spelling_is_kept_beside_the_capitals(doors: Doors) -> None:
    _, ((row),), _ = _through_all(doors, _json(symbol="EURUSDm"))
    assert (row["symbol"], row["symbol_as_sent"]) == ("EURUSDM", "EURUSDm")


def test_a_symbol_in_capitals_needs_no_spelling(doors: Doors) -> None:
    _, ((row),), _ = _through_all(doors, _json(symbol="CME_MINI:MNQ1!"))
    assert (row["symbol"], row["symbol_as_sent"]) == ("CME_MINI:MNQ1!", None)


@pytest.mark.parametrize("door", ALL)
def test_an_id_that_is_stored_with_another_content_is_refused_at_once(
    doors: Doors, door: str
) -> None:
    first, other = (_json(signal_id="same", strategy=name) for name in ("a", "b"))
    faults, rows, dead = doors.through(door, first, other)
    assert faults.startswith("signal_id: same is stored with the hash")
    assert (len(rows), dead) == (1, 0)


@pytest.mark.parametrize("door", ALL)
def test_an_id_with_the_same_content_is_accepted_again(doors: Doors, door: str) -> None:
    faults, rows, dead = doors.through(door, *[_json(signal_id="same")] * 2)
    assert (faults, len(rows), dead) == ("", 1, 0)


SECRETS = {
    "api_key": "anything",
    "X-API-Key": "anything",
    "apikey": 12345678,
    "Password": "short",
    "passphrase": "of a chart",
    "client_secret": {"a": 1},
    "Authorization": "Bearer x",
    "token": "abcdefgh",
    "auth_token": "x",
    "cookie": "a=b",
    "privateKey": "0x0",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_the_body_is_not_stored(doors: Doors, name: str) -> None:
    note = {"kept": 1, name: SECRETS[name]}
    votes = [{"source": "a", name: SECRETS[name]}]
    faults, ((row),), _ = _through_all(
        doors, _json(**{name: SECRETS[name]}, note=note, votes=votes, tokens=812, coin="PEPE")
    )
    assert faults == ""
    assert row["extra"] == {"note": {"kept": 1}, "tokens": 812, "coin": "PEPE"}
    assert row["votes"] == [{"source": "a"}]
    journal = next(iter(doors.folder.rglob("signals.log"))).read_text()
    assert f'"{name}"' not in journal


def test_a_key_is_found_by_its_form_whatever_the_fields_name(doors: Doors, key: str) -> None:
    note = {"key": key, "text": f"sent with {key}, by me", "list": [key]}
    _, ((row),), _ = _through_all(doors, _json(key=key, note=note))
    assert row["extra"] == {"note": {"text": "sent with ***, by me", "list": ["***"]}}


@pytest.mark.parametrize("field", ["strategy", "reasoning", "regime", "signal_id", "data_source"])
def test_a_key_in_a_field_that_must_be_kept_is_refused(doors: Doors, key: str, field: str) -> None:
    faults, rows, _ = _through_all(doors, _json(**{field: key}))
    assert faults == f"{field}: contains an API key: leave it out"
    assert not rows


def test_the_name_of_a_coin_is_not_taken_for_a_secret(doors: Doors) -> None:
    _, ((row),), _ = _through_all(doors, _json(token="PEPE", secretary=None))
    assert row["extra"]["token"] == "PEPE"
