"""Makes lines and bodies that are nearly signals, as files and programs of others have them."""

import json
from typing import Any

from hypothesis import strategies as st

from signals.ledger.validation import ALIASES, RESERVED, SignalIn

BOM = b"\xef\xbb\xbf"
PLAIN: dict[str, Any] = {
    "symbol": "AAPL", "action": "BUY", "entry_price": 150.5, "target_price": 158.0,
    "stop_price": 146.0, "confidence": 80.0, "timestamp": "2025-01-15T10:30:00Z",
}  # fmt: skip
NAMES = sorted(SignalIn.model_fields.keys() | ALIASES.keys() | RESERVED | {"note", "api_key", "id"})
NUMBERS = st.sampled_from(
    [0, -0.0, -1, 1, 80, 150.5, 1e308, 5e-324, 2**53 + 1, 2**63, 2**64, 10**40]
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "a", "buy", "SELL", "aapl", "EURUSDm", "ß", "\0", "a\nb", "\u2028", "x" * 700,
         "2025-01-15T11:30:00+01:00", "2025-01-15 10:30:00", "2999-01-01T00:00:00Z", "0" * 64,
         "batch", '"', "\\", "=1+1", "\uff11\uff15\uff10"]
    ),
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
OWN_IDS = st.sampled_from([{}, {}, {"signal_id": "one"}, {"signal_id": "two"}])
"""Few ids, so that a body has the same one twice."""


VALID = st.fixed_dictionaries(
    {"confidence": st.integers(0, 10**6).map(lambda number: number / 10**4)},
    optional={
        "symbol": st.sampled_from(["aapl", "EURUSDm", "NQ1!", "\xc4", "[ES] (CME)"]),
        "reasoning": st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9),
        "note": st.lists(st.integers() | st.booleans(), max_size=3),
        "votes": st.just([{"source": "a", "token": "secret-of-mine"}]),
        "timestamp": st.just("2025-01-15T11:30:00.5+01:00"),
    },
)
"""Changes that leave a signal valid."""


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a signal: every other one is valid; else a few fields are changed or left out."""
    made: dict[str, Any] = PLAIN | draw(VALID) | draw(OWN_IDS)
    if draw(st.booleans()):
        return made
    made |= draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2))
    for name in draw(st.lists(st.sampled_from(sorted(PLAIN)), max_size=1)):
        made.pop(name, None)
    return made


OTHERS = st.sampled_from(
    [b"{}", b"null", b"5", b'"x"', b"{nope", b"}", b"\x1f\x8b\x08\x00x", b"PK\x03\x04",
     b"\xff\xfe{", b"{\0}", b"{" * 300, b'{"a":' * 300 + b"1" + b"}" * 300, b'{"a": NaN}',
     b'{"a": 1e400}',
     b'{"a": ' + b"9" * 5000 + b"}", b'{"a": "\\ud800"}', b'{"a": "\\udc00\\ud800"}', b"\xc3\xa4",
     b'{"a": "\xed\xa0\x80"}', b'{"a": "\xc0\x80"}', b"{'a': 1}", b'{"a": 1,}', b"{} {}", b"//"]
)  # fmt: skip


INSERTED = st.sampled_from([b"\0", b"\xff", BOM, b'"', b"\\", b",", b"\x0b", b"\x85"])
TWICE = st.sampled_from([b'"symbol": "AAPL"', b'"\\u0073ymbol": 1', b'"z": {"z": 1}'])
ENCODINGS = st.sampled_from(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig"])
SPACES = st.sampled_from([b" ", b"\t", b"\x0c"])


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Draw one line, which may contain line breaks after all."""
    line = json.dumps(draw(objects()), ensure_ascii=draw(st.booleans())).encode()
    at = draw(st.integers(0, len(line)))
    damaged = {
        "another": OTHERS,
        "cut": st.just(line[:at]),
        "inserted": INSERTED.map(lambda more: line[:at] + more + line[at:]),
        "key twice": TWICE.map(lambda more: line[:-1] + b", " + more + b"}"),
        "encoded": ENCODINGS.map(lambda name: line.decode().encode(name, errors="replace")),
        "spaces": SPACES.map(lambda space: space + line + b" "),
    }
    kind = draw(st.sampled_from(["as it is"] * 6 + sorted(damaged)))
    return draw(damaged[kind]) if kind in damaged else line


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Draw a body of several lines, which may be cut anywhere."""
    ends = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r", b"\n\n", b"\n \t\r\n"])
    body = draw(st.sampled_from([b"", b"", BOM, b"\n", b" "]))
    for line in draw(st.lists(lines(), min_size=1, max_size=6)):
        body += line + draw(ends)
    return body[: draw(st.integers(1, len(body)))] if draw(st.integers(0, 5)) == 0 else body
