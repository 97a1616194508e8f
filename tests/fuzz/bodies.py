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
NUMBERS = st.sampled_from([0, -0.0, -1, 1, 80, 150.5, 1e308, 5e-324, 2**53 + 1, 2**63, 2**64, 10**40])
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "a", "buy", "SELL", "aapl", "EURUSDm", "ß", "\0", "a\nb", "\u2028", "x" * 700,
         "2025-01-15T11:30:00+01:00", "2025-01-15 10:30:00", "2999-01-01T00:00:00Z", "0" * 64,
         "batch", '"', "\\", "=1+1", "１５０"]
    ),
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
OWN_IDS = st.sampled_from([{}, {"signal_id": "one"}, {"signal_id": "two"}])
"""Few ids, so that a body has the same one twice."""


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a signal: often a valid one, else one with a few fields changed or left out."""
    changes = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2)
    made = PLAIN | {"confidence": draw(st.integers(1, 9))} | draw(OWN_IDS) | draw(changes)
    for name in draw(st.lists(st.sampled_from(sorted(PLAIN)), max_size=1)):
        made.pop(name, None)
    return made


def _with_key_twice(line: bytes, more: bytes) -> bytes:
    return line[:-1] + b", " + more + b"}"


OTHERS = st.sampled_from(
    [b"{}", b"null", b"5", b'"x"', b"{nope", b"}", b"\x1f\x8b\x08\x00x", b"PK\x03\x04", b"\xff\xfe{",
     b"{\0}", b"{" * 300, b'{"a":' * 300 + b"1" + b"}" * 300, b'{"a": NaN}', b'{"a": 1e400}',
     b'{"a": ' + b"9" * 5000 + b"}", b'{"a": "\\ud800"}', b'{"a": "\\udc00\\ud800"}', b"\xc3\xa4",
     b'{"a": "\xed\xa0\x80"}', b'{"a": "\xc0\x80"}', b"{'a': 1}", b'{"a": 1,}', b"{} {}", b"//"]
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Draw one line, which may contain line breaks after all."""
    made = draw(objects())
    line = json.dumps(made, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    match draw(st.integers(0, 11)):
        case 0:
            return draw(OTHERS)
        case 1:
            return line[: draw(st.integers(0, len(line)))]
        case 2:
            at = draw(st.integers(0, len(line)))
            more = draw(st.sampled_from([b"\0", b"\xff", BOM, b'"', b"\\", b",", b"\x0b", b"\x85"]))
            return line[:at] + more + line[at:]
        case 3:
            name = draw(st.sampled_from([b'"symbol": "AAPL"', b'"\\u0073ymbol": 1', b'"z": {"z":1}']))
            return _with_key_twice(line, name)
        case 4:
            encoding = draw(st.sampled_from(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig"]))
            return line.decode(errors="replace").encode(encoding, errors="replace")
        case 5:
            return draw(st.sampled_from([b" ", b"\t", b"\x0c"])) + line + b" "
    return line


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Draw a body of several lines, which may be cut anywhere."""
    ends = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r", b"\n\n", b"\n \t\r\n"])
    body = draw(st.sampled_from([b"", b"", BOM, b"\n", b" "]))
    for line in draw(st.lists(lines(), min_size=1, max_size=6)):
        body += line + draw(ends)
    return body[: draw(st.integers(1, len(body)))] if draw(st.integers(0, 5)) == 0 else body
