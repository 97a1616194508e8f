"""The formats refuse whatever has a second spelling, and say what is wrong."""

import pytest

from signals.record.formats.checkpoints import parse_checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import Entry, parse_entry
from signals.record.formats.notes import parse_key, parse_note
from signals.record.formats.policy import parse_policy
from signals.record.formats.proofs import parse_proof
from signals.record.formats.stamps import parse_stamp
from signals.record.formats.tiles import decode_entries, encode_entries
from signals.record.signing import LogSigner, WitnessSigner
from tests.signals.record.sample import POLICY, WITNESSES

ROOT = "8sXQi5SRAxAW7qoqV1iqRP4j/loh9bGkVU/MzsmtZVc="
DIGEST = "9" * 64
KEY = str(LogSigner("argo.example/record", b"L" * 32).key)


@pytest.mark.parametrize(
    "text",
    [
        '{"at":"2026-01-02T03:04:05Z","kind":"heartbeat", "v":1}',
        '{"at":"2026-01-02T03:04:05Z","kind":"heartbeat","v":1}\n',
        '{"kind":"heartbeat","at":"2026-01-02T03:04:05Z","v":1}',
        '{"at":"2026-01-02T03:04:05Z","kind":"heartbeat","v":2}',
        '{"at":"2026-01-02T03:04:05+00:00","kind":"heartbeat","v":1}',
        '{"at":"2026-02-30T03:04:05Z","kind":"heartbeat","v":1}',
        '{"at":"2026-01-02T25:04:05Z","kind":"heartbeat","v":1}',
        '{"at":"2026-01-02T03:04:05.1Z","kind":"heartbeat","v":1}',
        '{"at":"2026-01-02T03:04:05Z","kind":"other","v":1}',
        '{"at":"2026-01-02T03:04:05Z","kind":"signal","v":1}',
        f'{{"at":"2026-01-02T03:04:05Z","digest":"{DIGEST}","kind":"heartbeat","v":1}}',
        f'{{"at":"2026-01-02T03:04:05Z","digest":"{"A" * 64}","kind":"signal","v":1}}',
        f'{{"at":"2026-01-02T03:04:05Z","digest":"{DIGEST}","kind":"mark","note":"","v":1}}',
        '{"at":"2026-01-02T03:04:05Z","kind":"strategy","note":"\\u0041","v":1}',
        '{"at":"2026-01-02T03:04:05Z","kind":"strategy","note":"\\/","v":1}',
        '{"at":"2026-01-02T03:04:05Z","kind":"strategy","note":"é","v":1}',
        '{"at":"2026-01-02T03:04:05Z","kind":"strategy","note":"a"b","v":1}',
        "",
    ],
)
def test_an_entry_has_one_form(text: str) -> None:
    with pytest.raises(BadRecord):
        parse_entry(text.encode())


@pytest.mark.parametrize(
    "note", ["tend\u00eancia-\u03b1", 'a "quoted" \\ name', "\x00\n\U0001f600", ""]
)
def test_a_note_of_any_text_is_read_as_it_was_written(note: str) -> None:
    entry = Entry("2026-01-02T03:04:05Z", "strategy", note=note)
    assert entry.encoded().isascii()
    assert parse_entry(entry.encoded()) == entry


@pytest.mark.parametrize(
    "text",
    [
        f"argo.example/record\n09\n{ROOT}\n",
        f"argo.example/record\n+9\n{ROOT}\n",
        f"argo.example/record\n-1\n{ROOT}\n",
        f"argo.example/record\n9223372036854775808\n{ROOT}\n",
        f"argo.example/record\n\u0669\n{ROOT}\n",
        f"argo.example/record\n9\n{ROOT[:-1]}\n",
        f"argo.example/record\n9\n{ROOT[:-2]}d=\n",
        f"argo.example/record\n9\n{ROOT[:40]}\n",
        f"argo.example/record\n9\n{ROOT}\nmore\n",
        f"argo.example/record\n0\n{ROOT}\n",
        f"\n9\n{ROOT}\n",
        f"two words\n9\n{ROOT}\n",
        "argo.example/record\n9\n",
    ],
)
def test_a_checkpoint_has_one_form(text: str) -> None:
    with pytest.raises(BadRecord):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "data",
    [
        b"text\n",
        b"text\n\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAA=",
        b"text\n\n\xe2\x80\x94 name AAAAAAA=\nmore\n",
        b"text\n\n- name AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94 na+me AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94  AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94 name AAAAAA==\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAB=\n",
        b"te\txt\n\n\xe2\x80\x94 name AAAAAAA=\n",
        b"te\rxt\n\n\xe2\x80\x94 name AAAAAAA=\n",
        b"te\xffxt\n\n\xe2\x80\x94 name AAAAAAA=\n",
        b"text\n\n" + b"\xe2\x80\x94 name AAAAAAA=\n" * 101,
        b"x" * 2**20 + b"\n\n\xe2\x80\x94 name AAAAAAA=\n",
    ],
)
def test_what_is_no_signed_note_is_refused(data: bytes) -> None:
    with pytest.raises(BadRecord):
        parse_note(data)


def test_a_text_with_empty_lines_ends_at_the_last_one() -> None:
    note = parse_note("a\n\nb\n\n\u2014 name AAAAAAA=\n".encode())
    assert note.text == "a\n\nb\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("argo.example/record", "not a verifier key"),
        (KEY.replace("argo", "ergo", 1), "wrong key id"),
        ("n+00000000+" + "BqaB" * 11, "type 0x06"),
        ("n+00000000+AQ==", "not the verifier key"),
        ("a b+00000000+" + "AQAA" * 11, "not the verifier key"),
    ],
)
def test_a_key_that_cannot_be_used_is_named(text: str, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        parse_key(text)


W = [str(each.key) for each in WITNESSES]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no quorum"),
        ("quorum none\nquorum none", "exactly one"),
        ("quorum x", "not defined"),
        (f"witness w {W[0]}\nwitness w {W[1]}\nquorum w", "line 2.*taken"),
        (f"witness a {W[0]}\nwitness b {W[0]}\nquorum a", "named before"),
        (f"witness none {W[0]}\nquorum none", "taken"),
        (f"witness a {W[0]}\ngroup g 2 a\nquorum g", "number from 1 to 1"),
        (f"witness a {W[0]}\ngroup g 0 a\nquorum g", "number from 1 to 1"),
        (f"witness a {W[0]}\ngroup g all a a\nquorum g", "member already"),
        (f"witness a {W[0]}\ngroup g all a\ngroup h all a\nquorum h", "member already"),
        (f"group g all a\nwitness a {W[0]}\nquorum g", "not defined"),
        ("group g all g\nquorum g", "not defined"),
        (f"log {W[0]}\nquorum none", "type 0x04"),
        (f"witness a {KEY}\nquorum a", "type 0x01"),
        (f"log {KEY} url more\nquorum none", "needs: log"),
        ("witness a\nquorum a", "needs: witness"),
        ("group g all\nquorum g", "needs: group"),
        ("allow all\nquorum none", "begins with 'allow'"),
        ("quorum none\r\n", "control"),
        ("quorum none\0", "control"),
    ],
)
def test_a_policy_that_is_wrong_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        parse_policy(text.encode())


def test_a_policy_counts_witnesses_and_groups() -> None:
    text = (
        "\n# who watches\n"
        f"\twitness x1 {W[0]}  https://x.example \nwitness x2 {W[1]}\nwitness y {W[2]}\n"
        "group x any x1 x2\ngroup both all x y\nquorum both"
    )
    policy = parse_policy(text.encode())
    assert policy.is_satisfied({"x2", "y"})
    assert not policy.is_satisfied({"x1", "x2"})
    assert not policy.is_satisfied({"both", "y"} - {"both"})
    assert parse_policy(b"quorum none").is_satisfied(set())


def test_times_are_those_of_enough_witnesses() -> None:
    policy = parse_policy(POLICY)
    times = {"w1": 100, "w2": 300, "w3": 900}
    assert policy.existed_by(times) == 300
    assert policy.made_after(times) == 300
    assert policy.existed_by({"w1": 100, "w3": 900}) == 900
    assert policy.made_after({"w1": 100, "w3": 900}) == 100
    assert policy.existed_by({"w1": 100}) is None
    assert parse_policy(b"quorum none").existed_by(times) is None


@pytest.mark.parametrize(
    "head",
    [
        "c2sp.org/tlog-proof@v2\nindex 0",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\nindex 00",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA",
        "c2sp.org/tlog-proof@v1\nextra A\nindex 0",
        "c2sp.org/tlog-proof@v1\nindex 0" + f"\n{ROOT}" * 127,
        "c2sp.org/tlog-proof@v1\nindex \u0660",
    ],
)
def test_a_proof_file_has_one_form(head: str) -> None:
    with pytest.raises(BadRecord):
        parse_proof(f"{head}\n\ncheckpoint".encode())


def test_entries_that_are_cut_off_are_refused() -> None:
    data = encode_entries([b"first", b"", b"second"])
    assert decode_entries(data) == [b"first", b"", b"second"]
    for length in range(1, len(data)):
        if length not in (7, 9):  # where an entry ends
            with pytest.raises(BadRecord):
                decode_entries(data[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x85aaaaa",
        b"\x30\x03\x02\x01\x00",
        b"0\x82\xff\xff",
        bytes(9),
    ],
)
def test_what_is_no_time_stamp_is_refused(data: bytes) -> None:
    with pytest.raises(BadRecord, match="not an answer"):
        parse_stamp(data)


def test_a_key_signs_as_log_or_as_witness_never_as_both() -> None:
    log, witness = LogSigner("name", b"k" * 32), WitnessSigner("name", b"k" * 32)
    assert log.key.key_id != witness.key.key_id
    with pytest.raises(ValueError, match="not the verifier key"):
        LogSigner("two words", b"k" * 32)
    with pytest.raises(ValueError, match="32"):
        LogSigner("name", b"short")
