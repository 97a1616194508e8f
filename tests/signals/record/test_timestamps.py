"""Time stamps of an authority (here OpenSSL's) are requested, read and verified."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signals.record.formats.checkpoints import first_signed
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import parse_note
from signals.record.formats.stamps import parse_stamp
from signals.record.timestamps import StampVerifier, certificates, check_answer, stamp_request
from signals.record.verifier.cli import verify
from tests.signals.record.authority import Authority
from tests.signals.record.sample import LOG, WITNESSES, Record, asked, codes


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def verifier(authority: Authority) -> StampVerifier:
    return StampVerifier(certificates(authority.root()))


@pytest.fixture(scope="module")
def stamped(authority: Authority) -> tuple[bytes, bytes, int]:
    """Return a message, its stamp, and the nonce of the request."""
    message = b"the checkpoint as first signed"
    request = stamp_request(message)
    return message, authority.stamp(request.data), request.nonce


def test_a_stamp_is_read_and_verified(
    stamped: tuple[bytes, bytes, int], verifier: StampVerifier
) -> None:
    message, answer, nonce = stamped
    stamp = parse_stamp(answer)
    assert stamp.imprint == hashlib.sha256(message).hexdigest()
    assert abs(datetime.now(UTC) - stamp.time) < timedelta(hours=1)
    assert verifier.verify(answer, message, nonce) == stamp.time


def test_a_stamp_of_something_else_is_refused(
    stamped: tuple[bytes, bytes, int], verifier: StampVerifier
) -> None:
    message, answer, nonce = stamped
    with pytest.raises(BadRecord, match="not valid"):
        verifier.verify(answer, message + b"x", nonce)
    with pytest.raises(BadRecord, match="Nonce"):
        verifier.verify(answer, message, nonce + 1)


def test_without_certificates_an_answer_is_still_of_our_request(
    stamped: tuple[bytes, bytes, int],
) -> None:
    message, answer, nonce = stamped
    assert check_answer(answer, message, nonce) == parse_stamp(answer).time
    with pytest.raises(BadRecord, match="of something else"):
        check_answer(answer, message + b"x", nonce)
    with pytest.raises(BadRecord, match="another request"):
        check_answer(answer, message, nonce + 1)


def test_a_refusal_is_no_stamp_even_with_one_in_it(stamped: tuple[bytes, bytes, int]) -> None:
    answer = stamped[1]
    granted = b"\x02\x01\x00"  # the status, the first number of the answer
    assert granted in answer[:16]
    for status in (2, 3, 5):
        refused = answer.replace(granted, bytes([2, 1, status]), 1)
        with pytest.raises(BadRecord, match="the authority refused"):
            parse_stamp(refused)


def test_a_stamp_of_a_stranger_is_refused(
    stamped: tuple[bytes, bytes, int], tmp_path: Path
) -> None:
    stranger = StampVerifier(certificates(Authority(tmp_path).root()))
    with pytest.raises(BadRecord, match="not valid"):
        stranger.verify(stamped[1], stamped[0])


def test_no_changed_byte_of_a_stamp_changes_what_is_verified(
    stamped: tuple[bytes, bytes, int], verifier: StampVerifier
) -> None:
    message, answer, _ = stamped
    time = parse_stamp(answer).time
    for place in range(0, len(answer), 29):
        changed = answer[:place] + bytes([answer[place] ^ 1]) + answer[place + 1 :]
        try:
            assert verifier.verify(changed, message) == time
        except BadRecord:
            continue


def test_a_file_without_certificates_is_named() -> None:
    with pytest.raises(BadRecord, match="not a file of certificates"):
        certificates(b"hello")


def test_a_stamped_bundle_says_what_is_not_verified_here(
    authority: Authority, verifier: StampVerifier, tmp_path: Path
) -> None:
    record = Record(tmp_path / "record")
    record.enter("heartbeat")
    data = record.checkpoint(mark=False)
    message = first_signed(parse_note(data), LOG.key.name)
    assert message != data  # cosignatures are not part of what is stamped
    stamp = authority.stamp(stamp_request(message).data)
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(record.bundle(stamps={"authority": stamp}))
    report = verify(str(bundle), asked())
    assert not report.faults
    assert "not verified here" in report.remarks[0]
    command = report.remarks[0].partition("Run: openssl ")[2].split(" -CAfile")[0]
    (authority.folder / "stamps").mkdir(exist_ok=True)
    (authority.folder / "stamps" / "authority.tsr").write_bytes(stamp)
    assert authority.run(f"{command} -CAfile root.pem") == 0
    assert not verify(str(bundle), asked(verify_stamp=verifier.verify)).remarks
    other = authority.stamp(stamp_request(data).data)  # of the checkpoint with its cosignatures
    bundle.write_bytes(record.bundle(stamps={"authority": other}))
    assert codes(verify(str(bundle), asked())) == {"stamp"}


def test_a_verified_stamp_says_by_when_an_entry_existed(
    authority: Authority, verifier: StampVerifier, tmp_path: Path
) -> None:
    record = Record(tmp_path / "record")
    record.signal("s")
    data = record.checkpoint(WITNESSES[:0], mark=False)
    stamp = authority.stamp(stamp_request(data).data)
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(record.bundle(stamps={"a": stamp}))
    policy = f"log {LOG.key}\nquorum none\n".encode()
    found = verify(str(bundle), asked(policy=policy, verify_stamp=verifier.verify))
    time = parse_stamp(stamp).time.isoformat().replace("+00:00", "Z")
    assert found.facts["signals"][0]["existed_by"] == time
    assert verify(str(bundle), asked(policy=policy)).facts["signals"][0]["existed_by"] is None
