"""Usual journal lines, which are read quickly, become exactly what `decode` makes of them."""

import json
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signals.clock import utc_now
from signals.journal import Line, Offset
from signals.ledger.hashing import Covered, Hashed, older_sha256_of, plain_sha256_of, sha256_of
from signals.ledger.records import IMPORTED, BadLine, Record, decode, encode, json_object
from signals.ledger.usual import AnyRecord, decode_usual
from tests.samples import a_signal

PLACE = Offset(3, 70_000)
OPTIONAL = ("regime", "reasoning", "sources", "agreement", "votes", "symbol_as_sent", "data_source")
CALIBRATED = ("raw_confidence", "calibration_version")
EXTREME_NUMBERS = (
    "1", "150", "-0", "-0.0", "0.0", "1e400", "-1e400", "1e-400", "1E5", "1e16", "1e-5", "0.0001",
    "0.00001", "123456789012345680.0", "100.00001", "01", "1.", ".5", "+1", "NaN", "Infinity",
    "-Infinity", "9223372036854775807", "9223372036854775808", "18446744073709551615",
    "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "1" * 400, "1" * 5000,
    "5e-324", "2.4703282292062327e-324", "1.7976931348623157e308", "1.7976931348623159e308",
    "0.1000000000000000055511151231257827", "true", '"150.5"', "null", "3.0", "1_0", "0x10",
)  # fmt: skip
EXTREME_TEXTS = (
    '""', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\x41"', '"\\/"',
    '"\\u007f"', '"\x7f"', '"\x01"', '"\t"', '"é"', '"\\u00e9"', '"a\\"b"', '"a\\\\b"',
    '"' + "a" * 700 + '"', "null", "1", "1.5", "true", "[]", "{}", '"import"', '"hook"', '"replay"',
)  # fmt: skip
EXTREME_VOTES = (
    "null", "[]", '{"a":1,"a":2}', '{"a":1e400}', '{"a":"\\ud800"}', '{"a":NaN}', "[1,]", '"x"',
    "1" * 30, '{"a":18446744073709551616}', "[" * 250 + "]" * 250, "[" * 300 + "]" * 300,
    "[" * 1020 + "]" * 1020, "[" * 1024 + "]" * 1024, "[" * 9000 + "]" * 9000, "{", ' [ 1 , "b" ] ',
    '{"votes":1}', '{"a":"\\"votes\\":"}',
)  # fmt: skip
NOT_UTF8 = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80")


def parts_of(**changes: Any) -> dict[str, str]:  # noqa: ANN401
    """Return the fields of a usual line, each as its JSON text."""
    given = a_signal(regime="BULL", reasoning="up", sources=3, agreement=0.75, confidence=85.5)
    _, line = encode(given | changes, utc_now(), "test")
    return {name: orjson.dumps(value).decode() for name, value in orjson.loads(line).items()}


def joined(parts: dict[str, str] | list[tuple[str, str]]) -> bytes:
    items = parts.items() if isinstance(parts, dict) else parts
    text = ",".join(f'"{name}":{value}' for name, value in items)
    return f"{{{text}}}".encode("utf-8", "surrogatepass")


def hashed_anew(parts: dict[str, str], *, older: bool = False) -> dict[str, str]:
    """Return the fields with the hash that they have now, if they can have one."""
    try:
        fields = json.loads(joined(parts))
        covered: Any = tuple(fields[name] for name in Hashed._fields)
        computed = older_sha256_of if older else sha256_of
        return parts | {"sha256": f'"{computed(covered, fields["signal_id"])}"'}
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return parts


def made_of(record: AnyRecord) -> object:
    """Return all that a flush uses of a record."""
    try:
        rows = [record.row, record.context(7, 2), record.context(7, None)]
    except orjson.JSONEncodeError as error:
        return type(error)
    exact = [[(type(value), repr(value)) for value in row] for row in rows]
    names = ("signal_id", "sha256", "origin", "symbol", "asset_type", "received_at", "line")
    return exact, record.fields, [getattr(record, name) for name in names]


def truth_of(line: Line) -> Record | str:
    try:
        fields = json_object(line)
        return "is a change" if "change" in fields else decode(fields, line)
    except BadLine as bad:
        return str(bad)


def assert_the_same(data: bytes) -> bool:
    """Compare both ways to read a line; return True if it was read quickly."""
    line = Line(PLACE, data)
    usual = decode_usual(line)
    if usual is None:
        return False
    truth = truth_of(line)
    assert isinstance(truth, Record), f"{data!r} was taken, but it {truth}"
    assert made_of(usual) == made_of(truth)
    return True


TEXTS = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(EXTREME_TEXTS),
)
FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0.0001, 1e6).map(lambda number: repr(round(number, 4))),
)
NUMBERS = st.one_of(
    FLOATS,
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(EXTREME_NUMBERS),
)
VOTES = st.one_of(
    st.recursive(FLOATS | TEXTS, lambda inner: st.lists(inner, max_size=3).map(
        lambda each: f"[{','.join(each)}]")),
    st.sampled_from(EXTREME_VOTES),
)  # fmt: skip
VALUES = {
    **dict.fromkeys(("entry_price", "target_price", "stop_price", "confidence"), NUMBERS),
    **dict.fromkeys(("sources", "agreement", *CALIBRATED), NUMBERS),
    **dict.fromkeys(("exit_price", "profit_loss_pct"), NUMBERS),
    "votes": VOTES,
}
NAMES = (
    "symbol", "action", "strategy", "asset_type", "timestamp", "signal_id", "sha256",
    "received_at", "origin", *OPTIONAL, "outcome", "order_id", "created_at", "own", "change",
    *VALUES,
)  # fmt: skip
CHANGE = st.sampled_from(NAMES).flatmap(
    lambda name: st.tuples(st.just(name), VALUES.get(name, TEXTS))
)


@settings(max_examples=300)
@given(st.lists(CHANGE, max_size=3), st.lists(st.sampled_from(NAMES), max_size=1), st.booleans())
@example([("votes", '{"a":"b"}')], [], False)
@example([("raw_confidence", "80.5"), ("calibration_version", "2")], [], False)
def test_any_change_of_a_field_is_read_alike(
    changes: list[tuple[str, str]], left_out: list[str], older: bool
) -> None:
    parts = parts_of() | dict(changes)
    kept = {name: value for name, value in parts.items() if name not in left_out}
    assert_the_same(joined(kept))
    assert_the_same(joined(hashed_anew(kept, older=older)))


@settings(max_examples=200)
@given(st.lists(CHANGE, min_size=1, max_size=2), st.booleans())
@example([("entry_price", "1" * 400)], True)
@example([("sources", str(-(2**63) - 1))], True)
@example([("agreement", "1e400")], True)
def test_a_field_that_comes_twice_is_read_alike(
    changes: list[tuple[str, str]], first: bool
) -> None:
    parts = list((parts_of() | {"votes": '["b"]'}).items())
    assert_the_same(joined([*changes, *parts] if first else [*parts, *changes]))


@settings(max_examples=200)
@given(st.integers(0, 700), st.binary(max_size=2), st.integers(0, 2))
def test_a_line_with_damaged_bytes_is_read_alike(place: int, bytes_: bytes, removed: int) -> None:
    data = joined(parts_of(reasoning="é\\") | {"votes": '["b"]'})
    assert_the_same(data[:place] + bytes_ + data[place + removed :])


@pytest.mark.parametrize("number", range(len(EXTREME_NUMBERS)))
def test_an_extreme_number_is_read_alike_in_every_field(number: int) -> None:
    for name in (*VALUES, "symbol", "own"):
        parts = parts_of() | {name: EXTREME_NUMBERS[number]}
        assert_the_same(joined(parts))
        assert_the_same(joined(hashed_anew(parts)))
        assert_the_same(joined(hashed_anew(parts, older=True)))


@pytest.mark.parametrize("number", range(len(EXTREME_VOTES)))
def test_extreme_votes_are_read_alike_once_and_twice(number: int) -> None:
    parts, votes = parts_of(), EXTREME_VOTES[number]
    assert_the_same(joined(parts | {"votes": votes}))
    for second in ("null", "[1]", votes):
        assert_the_same(joined([("votes", votes), *parts.items(), ("votes", second)]))
        assert_the_same(joined([("\\u0076otes", votes), *parts.items(), ("votes", second)]))


@pytest.mark.parametrize("bad", range(len(NOT_UTF8)))
def test_what_is_not_utf_8_is_read_alike_wherever_it_is(bad: int) -> None:
    for name in ("symbol", "reasoning", "votes", "own"):
        first = f'"{name}":'.encode() + b'"' + NOT_UTF8[bad] + b'",'
        whole = joined(parts_of())
        assert_the_same(b"{" + first + whole[1:])
        assert_the_same(b"{" + first + f'"{name}":null,'.encode() + whole[1:])
        assert_the_same(b"{" + first[:-2] + b'\\u0041",' + whole[1:])


@pytest.mark.parametrize("around", [b"\xef\xbb\xbf%s", b" %s", b"%s ", b"%sx", b"%s\0", b"[%s]",
                                    b"%s%s", b"\f%s", b"%s\r"])  # fmt: skip
def test_what_is_around_an_object_is_read_alike(around: bytes) -> None:
    whole = joined(parts_of())
    assert_the_same(around.replace(b"%s", whole))


@pytest.mark.parametrize("text", ["é", "\x7f", "\\", '"', "\u2028", "😀"])
def test_the_hash_of_a_text_that_was_not_escaped_is_not_taken(text: str) -> None:
    for name in ("symbol", "action", "strategy", "timestamp", "signal_id"):
        parts = parts_of() | {name: orjson.dumps(text).decode()}
        fields = json.loads(joined(parts))
        covered = {key: fields[key] for key in (*Hashed._fields, "signal_id")}
        escaped = json.dumps(covered, sort_keys=True, ensure_ascii=False)
        plain = escaped.replace(orjson.dumps(text).decode(), f'"{text}"')
        wrong = parts | {"sha256": f'"{sha256(plain.encode()).hexdigest()}"'}
        assert not assert_the_same(joined(wrong))
        assert assert_the_same(joined(hashed_anew(parts)))


def test_the_longest_id_symbol_and_timestamp_together_are_read_alike() -> None:
    parts = parts_of()
    others = sum(len(parts[name]) - 2 for name in ("signal_id", "timestamp"))
    for length, is_usual in ((600, True), (601, False)):
        long = hashed_anew(parts | {"symbol": f'"{"A" * (length - others)}"'})
        assert assert_the_same(joined(long)) is is_usual


@pytest.mark.parametrize(
    ("raw", "version", "is_usual"),
    [
        ("80.5", "1", True), ("80.5", "2147483647", True), ("80.5", "2147483648", False),
        ("80.5", "0", False), ("80.5", "-1", False), ("80.5", "1.0", False), ("80", "1", False),
        ("80.5", "null", False), ("null", "1", False),
    ],
)  # fmt: skip
def test_a_calibration_is_read_alike(raw: str, version: str, is_usual: bool) -> None:
    parts = parts_of() | {"raw_confidence": raw, "calibration_version": version}
    assert assert_the_same(joined(parts)) is is_usual


def test_an_imported_or_altered_line_or_one_with_an_unknown_field_is_left_to_decode() -> None:
    usual = parts_of()
    assert assert_the_same(joined(usual))
    for origin in sorted(IMPORTED):
        assert not assert_the_same(joined(usual | {"origin": f'"{origin}"'}))
    for altered in ({"own": "1"}, {"entry_price": "151.0"}, {"change": "{}"}, {"outcome": '"win"'}):
        assert not assert_the_same(joined(usual | altered))
    assert not assert_the_same(joined(hashed_anew(usual | {"entry_price": "151"})))
    assert not assert_the_same(joined(usual | {"raw_confidence": "null"}))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"reasoning": "über 5 % \\ \"quoted\""},
        {"symbol": "btc/usd"},
        {"votes": [{"source": "trend", "direction": "BUY", "confidence": 80.0}]},
        {"regime": None, "reasoning": None, "sources": None, "agreement": None},
        {"confidence": 100.0, "stop_price": 0.0001, "strategy": "naïve"},
        {"raw_confidence": 81.5, "calibration_version": 3},
    ],
)  # fmt: skip
def test_the_lines_that_argo_writes_of_live_signals_are_usual(changes: dict[str, Any]) -> None:
    given = a_signal(regime="BULL", reasoning="up", sources=3, agreement=1.0, confidence=85.5)
    _, line = encode(given | changes, utc_now(), "test")
    assert assert_the_same(line)


@given(
    st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 4)
    | st.tuples(*[st.floats(0.00001, 1e17)] * 4)
)
def test_the_quick_hash_of_numbers_is_the_hash_or_none(numbers: tuple[float, ...]) -> None:
    covered: Covered = ("AAPL", "BUY", *numbers, "test", "2025-01-15T10:30:00Z")  # type: ignore[assignment]
    assert plain_sha256_of(covered, "an-id") in (None, sha256_of(covered, "an-id"))


@pytest.mark.parametrize("number", [1e-7, -2.5e-9, 1e-5, 0.00012, 1e16, 1e300, 5e-324, 0.0, -0.0])
def test_the_quick_hash_of_an_extreme_number_is_the_hash_or_none(number: float) -> None:
    covered = ("AAPL", "BUY", number, 1.5, number, number, "test", "2025-01-15T10:30:00Z")
    assert plain_sha256_of(covered, "an-id") in (None, sha256_of(covered, "an-id"))


def test_the_quick_hash_takes_usual_prices() -> None:
    for price in (0.0, 0.01, 150.5, 99_999.99, 1e15, -3.25):
        covered = ("AAPL", "BUY", price, price, price, 85.5, "test", "2025-01-15T10:30:00Z")
        assert plain_sha256_of(covered, "an-id") == sha256_of(covered, "an-id")
