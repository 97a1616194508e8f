"""Whatever is done to a bundle, it is refused with a reason: no traceback, no hang, no bomb."""

import io
import json
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signals.record.verifier import files
from signals.record.verifier.cli import verify
from signals.record.verifier.report import Report
from tests.signals.record.sample import POLICY, Record, asked, checked, codes, honest

PROVED = ["origin", "size", "first", "last", "entries"]
NAMES = ["bundle.json", "checkpoint", "entries", "hashes", "lines.jsonl", "policy"]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return honest(tmp_path_factory.mktemp("honest"))


@pytest.fixture(scope="module")
def good(record: Record) -> bytes:
    return record.bundle(4, 12, earlier=record.checkpoints[1:2])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "bundle.zip"


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in contents.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def refused(data: bytes, place: Path) -> Report:
    """Return the report, which has a reason, can be printed, and is JSON."""
    report = checked(data, place)
    assert report.faults
    assert report.text().isprintable() or "\n" in report.text()
    json.dumps(report.as_json())
    return report


def test_the_good_one_is_accepted(good: bytes, place: Path) -> None:
    assert not checked(good, place).faults


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_byte_of_the_archive_is_refused(
    good: bytes, place: Path, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(good) - 1))
    value = data.draw(st.integers(0, 255))
    report = checked(good[:at] + bytes([value]) + good[at + 1 :], place)
    report.text()  # a time of a file may differ, and then it is accepted
    if report.faults:
        assert all(fault.message for fault in report.faults)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_cut_archive_is_refused(good: bytes, place: Path, data: st.DataObject) -> None:
    refused(good[: data.draw(st.integers(0, len(good) - 1))], place)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_file_in_it_is_refused(good: bytes, place: Path, data: st.DataObject) -> None:
    contents = members(good)
    name = data.draw(st.sampled_from([each for each in NAMES if each != "policy"]))
    old = contents[name]
    at, until = sorted(data.draw(st.tuples(*[st.integers(0, len(old))] * 2)))
    contents[name] = old[:at] + data.draw(st.binary(max_size=40)) + old[until:]
    report = checked(packed(contents, zipfile.ZIP_STORED), place)
    report.text()
    json.dumps(report.as_json())
    if not report.faults:  # spaces in JSON, a line that is not shown, a third cosignature
        assert all(report.facts[each] == checked(good, place).facts[each] for each in PROVED)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
@example(b"")
@example(b"PK\5\6" + bytes(18))
@example(b"c2sp.org/tlog-proof@v")
def test_anything_else_is_refused(place: Path, data: bytes) -> None:
    refused(data, place)


@pytest.mark.parametrize(
    "name",
    ["../policy", "/etc/passwd", "a/../policy", "stamps/../x.tsr", "nested.zip", "entries/", "",
     "C:\\x", "checkpoints/zz", "stamps/.tsr", "stamps/a/b.tsr", "consistency/01", "POLICY",
     "policy\u202e", "x" * 60_000],
)  # fmt: skip
def test_other_names_are_refused(good: bytes, place: Path, name: str) -> None:
    report = refused(packed({**members(good), name: b"x"}), place)
    assert codes(report) == {"bundle"}


def test_a_file_that_is_there_twice_is_refused(good: bytes, place: Path) -> None:
    file = io.BytesIO(good)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("policy", POLICY)
    assert "twice" in str(refused(file.getvalue(), place).faults[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(good: bytes, place: Path, name: str) -> None:
    contents = members(good)
    del contents[name]
    report = checked(packed(contents), place)
    if name == "lines.jsonl":  # nothing is shown
        assert not report.faults
    else:
        assert repr(name) in str(report.faults[0])


def test_a_bomb_is_refused_before_it_is_unpacked(good: bytes, place: Path) -> None:
    bomb = packed({**members(good), "entries": bytes(files.LIMITS[2][1] + 1)})
    assert len(bomb) < 2**20
    assert "the limit is" in str(refused(bomb, place).faults[0])


def test_a_size_that_lies_is_refused(good: bytes, place: Path) -> None:
    data = bytearray(packed({**members(good), "entries": bytes(10**7)}))
    found = data.rindex(b"entries") - 46
    data[found + 24 : found + 28] = struct.pack("<I", 100)  # the directory says 100 bytes
    assert "damaged" in str(refused(bytes(data), place).faults[0])


def test_too_many_files_are_refused(good: bytes, place: Path) -> None:
    many = {f"checkpoints/{n:064x}": b"" for n in range(files.MOST_FILES + 1)}
    assert "the limit is" in str(refused(packed({**members(good), **many}), place).faults[0])


def test_a_comment_and_other_packings_are_refused(good: bytes, place: Path) -> None:
    file = io.BytesIO(good)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"hello"
    refused(file.getvalue(), place)
    refused(packed(members(good), zipfile.ZIP_LZMA), place)
    refused(packed(members(good), zipfile.ZIP_BZIP2), place)


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000 + b"\n", b'{"a":' * 100_000 + b"\n", b"NaN\n", b'{"index":1e999}\n',
     b'{"index":' + b"9" * 5000 + b"}\n", b"\xff\n", b"{}", b"\n",
     b'{"index":5,"index":6,"salt":"","line":""}\n',
     b'{"index":5,"salt":"' + b"0" * 31 + b'","line":""}\n',
     b'{"index":true,"salt":"' + b"0" * 32 + b'","line":""}\n',
     b'{"index":5,"salt":"' + b"0" * 32 + b'","line":"\\ud800"}\n',
     b'{"index":5,"salt":"' + b"0" * 32 + b'","line":"a\\nb"}\n'],
    ids=lambda text: repr(text[:30]),
)  # fmt: skip
def test_lines_that_cannot_be_read_are_refused(good: bytes, place: Path, text: bytes) -> None:
    report = refused(packed({**members(good), "lines.jsonl": text}), place)
    assert codes(report) == {"line"}


@pytest.mark.parametrize(
    "about",
    [b"[]", b"{}", b'{"version":2}', b'{"version":true}', b'{"version":1,"first":-1}',
     b'{"version":1,"first":4,"last":12,"size":1e3,"origin":""}',
     b'{"version":1,"first":4,"last":12,"size":9223372036854775807,"origin":"x"}'],
)  # fmt: skip
def test_a_description_that_contradicts_is_refused(good: bytes, place: Path, about: bytes) -> None:
    refused(packed({**members(good), "bundle.json": about}), place)


def test_links_in_an_unpacked_bundle_are_refused(good: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name, data in members(good).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    assert not verify(str(folder), asked()).faults
    (folder / "policy").unlink()
    (folder / "policy").symlink_to("/etc/hostname")
    assert codes(verify(str(folder), asked())) == {"bundle"}


def test_text_that_a_terminal_would_obey_is_escaped(tmp_path: Path) -> None:
    hostile = Record(tmp_path / "record")
    hostile.enter("strategy", note="\x1b[2J\u202ered\nWRONG")
    hostile.checkpoint(mark=False)
    report = checked(hostile.bundle(), tmp_path / "bundle.zip")
    assert not report.faults
    lines = report.text().split("\n")
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("WRONG") for line in lines)
