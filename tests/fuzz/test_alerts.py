"""Whatever is posted to a hook: it is taken or kept with a reason, and never a failure of Argo."""

import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.alerts import exits, log, seen
from signals.alerts.content import TooLarge, body_of
from signals.alerts.mapping import mapping_of, presets
from signals.alerts.taking import take
from signals.alerts.terms import Terms
from signals.clock import utc_now
from signals.config import journal
from tests.fuzz.bodies import TEXTS, VALUES, lines
from tests.fuzz.rounds import examples
from tests.signals.alerts.test_shapes import EXITS, READ, UNREAD, content

pytestmark = pytest.mark.django_db
SECRET = "hunter2hunter2"
NAMES = st.sampled_from(
    ["symbol", "ticker", "action", "position", "price", "close", "bar_time", "time", "id",
     "order_id", "stocks", "trigger_prices", "tp", "sl", "confidence", "strategy", "comment"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["AAPL", "buy", "sell", "exit", "flat", "long", "{{close}}", "1,234.5", "1,5", "150.5", "NaN",
     "2026-01-05T14:30:00Z", "1736937000", "2026.01.05 14:30", "A,B", "\ud800", "\0", "🚀", ""]
)  # fmt: skip
SECRETS = st.sampled_from(["key", "Token", "pass_phrase", "PASSWORD", "x-api-key", "license-id"])


PRESETS = {
    **{name: preset for name, (preset, *_) in (READ | UNREAD).items()}, **EXITS,
}  # fmt: skip
SHAPES = {name: (PRESETS[name], content(name)) for name in PRESETS}
"""The alerts of `tests/signals/alerts/shapes`, each with its preset."""
PIECES = st.sampled_from(
    [b"{{close}}", b"\r\n", b",", b'"', b"}{", b"]", b"\\ud800", b"\xef\xbb\xbf", b"1,5", b"NaN",
     b"-1e999", b"\xf0\x9f\x9a\x80", b"%00", b"\0", b"&=", b"{" * 500, b"9" * 400, b"\\"]
)  # fmt: skip
ENCODINGS: list[Callable[[bytes], bytes]] = [
    bytes, bytes, bytes, gzip.compress,
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: b"payload=" + quote_plus(body).encode(),
    lambda body: body.decode("latin-1").encode("utf-16"),
    lambda body: body * 2,
    lambda body: body.replace(b"\n", b"\r\n"),
]  # fmt: skip


@st.composite
def alerts(draw: st.DrawFn) -> bytes:
    """Draw an alert: JSON, a form, pairs or plain text, which may be damaged."""
    fields: dict[str, Any] = draw(st.dictionaries(NAMES, WORDS | VALUES, max_size=6))
    fields[draw(SECRETS)] = SECRET
    pairs = [f"{name}={value}" for name, value in fields.items()]
    text = draw(st.sampled_from(
        [json.dumps(fields), "&".join(pairs), "\r\n".join(pairs), " ".join(map(str, pairs)),
         json.dumps([fields]), json.dumps(fields) * 2, "payload=" + json.dumps(fields)]
    ))  # fmt: skip
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig"]))
    return text.encode(encoding, "replace")


@st.composite
def damaged_shapes(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw an alert of a real sender with its preset, changed in up to four places, and encoded."""
    name = draw(st.sampled_from(sorted(SHAPES)))
    body = bytearray(SHAPES[name][1])
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(body)))
        end = draw(st.integers(place, min(len(body), place + 30)))
        piece = draw(st.binary(max_size=4) | PIECES | st.just(bytes(body[place:end])))
        body[place : draw(st.sampled_from([place, end]))] = piece
    return SHAPES[name][0], draw(st.sampled_from(ENCODINGS))(bytes(body))


BODIES = alerts() | lines() | TEXTS.map(lambda text: text.encode("utf-8", "replace")) | st.binary()


def terms(preset: str) -> Terms:
    return Terms(1, "fuzz", mapping_of(preset, {}), {}, 75.0, 60.0, None, needs_certificate=False)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collect the lines that would be written, and look nothing up."""
    found: list[bytes] = []
    for name in ("seen_signals", "seen_exits"):
        monkeypatch.setattr(seen, name, lambda identities: [""] * len(identities))
    monkeypatch.setattr(exits, "may_end", lambda *_: True)
    monkeypatch.setattr("signals.config.wake_flush", lambda _: None)
    for file in (journal(), log.alerts_journal()):
        monkeypatch.setattr(file, "append", found.extend)
    return found


def check_taken(preset: str, body: bytes, written: list[bytes]) -> None:
    written.clear()
    try:
        text = body_of(body)
    except TooLarge:
        return
    taken = take(terms(preset), text, "", utc_now())
    assert taken.status in (200, 202, 422)
    assert (taken.status == 422) == bool(taken.faults)
    assert not [each for each in taken.faults if "Argo failed" in each.message], taken.faults
    assert written
    for line in written:
        assert b"\n" not in line
        orjson.loads(line)


def test_whatever_is_posted_is_taken_or_kept_with_its_reason(written: list[bytes]) -> None:
    @examples(400)
    @given(body=BODIES, preset=st.sampled_from([*presets()]))
    def check(body: bytes, preset: str) -> None:
        check_taken(preset, body, written)

    check()


def test_an_alert_of_a_real_sender_may_be_damaged_in_any_way(written: list[bytes]) -> None:
    assert len(SHAPES) >= 20

    @examples(1000)
    @given(shape=damaged_shapes())
    def check(shape: tuple[str, bytes]) -> None:
        check_taken(*shape, written)

    check()


def test_a_secret_is_never_written(written: list[bytes]) -> None:
    @examples(300)
    @given(body=alerts(), preset=st.sampled_from([*presets()]))
    def check(body: bytes, preset: str) -> None:
        written.clear()
        take(terms(preset), body_of(body), "", utc_now())
        assert SECRET.encode() not in b"".join(written)

    check()
