"""A whole record is read at an address as it is in a folder, within limits."""

import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from signals.record.formats.encoding import BadRecord
from signals.record.verifier.cli import verify
from signals.record.verifier.sources import url_source
from tests.loopback import serving
from tests.signals.record.sample import Record, asked, codes, honest


class Host(BaseHTTPRequestHandler):
    """Serves a folder as a static host does; `packed` and `broken` are how it misbehaves."""

    folder = Path()
    packed = False
    broken: bytes | None = None

    def do_GET(self) -> None:
        path = self.folder / self.path.lstrip("/").removeprefix("record/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes() if self.broken is None else self.broken
        data = gzip.compress(data) if self.packed else data
        self.send_response(200)
        if self.packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return honest(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def host(record: Record) -> Iterator[tuple[type[Host], str]]:
    class Own(Host):
        folder = record.folder.path

    with serving(Own) as port:
        yield Own, f"http://127.0.0.1:{port}/record/"


@pytest.mark.parametrize("packed", [False, True])
def test_a_record_at_an_address_is_accepted(
    record: Record, host: tuple[type[Host], str], packed: bool
) -> None:
    handler, url = host
    handler.packed = packed
    there, here = verify(url, asked()), verify(str(record.folder.path), asked())
    assert not there.faults
    assert there.as_json() == here.as_json()
    assert (
        there.facts["brackets_of_time"]["median_seconds"] is not None
    )  # checkpoints of marks are read


def test_a_record_continues_a_known_checkpoint(record: Record) -> None:
    for known in record.checkpoints:
        assert not verify(str(record.folder.path), asked(known)).faults


@pytest.mark.parametrize("data", [b"", b"x" * 5_000_000, b"\x1f\x8b\x08 cut off"])
def test_answers_that_are_too_long_or_damaged_are_refused(
    host: tuple[type[Host], str], data: bytes
) -> None:
    handler, url = host
    handler.broken = data
    assert codes(verify(url, asked())) <= {"record", "checkpoint"}
    assert verify(url, asked()).faults


def test_a_packed_bomb_is_refused(host: tuple[type[Host], str]) -> None:
    handler, url = host
    handler.packed, handler.broken = True, bytes(50_000_000)
    with pytest.raises(BadRecord, match="more than"):
        url_source(url)("checkpoint")


def test_an_address_where_nothing_answers_is_named(host: tuple[type[Host], str]) -> None:
    url = "http://127.0.0.1:9/record"
    report = verify(url, asked())
    assert codes(report) == {"record"}
    assert "cannot be fetched" in str(report.faults[0])


def test_a_folder_that_is_no_record_is_named(tmp_path: Path) -> None:
    report = verify(str(tmp_path), asked())
    assert "this is not a record" in str(report.faults[0])


def test_a_missing_tile_and_a_changed_one_above_are_named(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    for _ in range(300):
        record.enter("heartbeat")
    record.checkpoint(mark=False)
    tile = record.folder.path / "tile/1/000.p/1"
    tile.write_bytes(bytes(32))
    assert codes(verify(str(record.folder.path), asked())) == {"tile"}
    tile.unlink()
    assert codes(verify(str(record.folder.path), asked())) == {"tile"}
    (record.folder.path / "tile/entries/000").unlink()
    assert codes(verify(str(record.folder.path), asked())) == {"record"}
