"""An authority, here OpenSSL's behind HTTP, stamps the owner's checkpoints."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from signals.models import RecordEntry
from signals.record.formats.checkpoints import first_signed
from signals.record.formats.notes import parse_note
from signals.record.one_file import source
from signals.record.proving.checkpoints import quorum
from signals.record.proving.kept import log_keys
from signals.record.timestamps import CONTENT_TYPE
from sync.models import RecordSubmission
from sync.record import problems
from sync.record.running import Runner
from tests.signals.record.authority import Authority
from tests.signals.record.log.helpers import ORIGIN
from tests.sync.record.conftest import Owner

pytestmark = pytest.mark.django_db(transaction=True)


class Served:
    """The authority's address; `answer` replaces its answers."""

    url = ""
    answer: Callable[[bytes], bytes] | None = None


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def served(authority: Authority, settings: Settings) -> Iterator[Served]:
    made = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == CONTENT_TYPE
            request = self.rfile.read(int(self.headers["Content-Length"]))
            body = made.answer(request) if made.answer else authority.stamp(request)
            self.send_response(200 if body else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401  # a test prints nothing
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/tsr"
        settings.RECORD_STAMP_AUTHORITIES = [made.url]
        settings.RECORD_STAMP_CERTIFICATES = str(authority.folder / "root.pem")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def stamps(owner: Owner) -> list[Path]:
    return sorted((owner.folder / "record/stamps").glob("*"))


def test_the_witnessed_checkpoint_is_stamped_and_the_bundle_has_it(
    owner: Owner, served: Served, authority: Authority, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    owner.enter(1, 2)
    owner.publish()
    assert Runner(clock=owner.clock).stamp().delivered == 0, "nothing is witnessed yet"
    Runner(clock=owner.clock).witness()
    assert Runner(clock=owner.clock).stamp().delivered == 1
    (stamp,) = stamps(owner)
    note = parse_note((owner.folder / "record/checkpoint").read_bytes())
    (tmp_path / "stamped").write_bytes(first_signed(note, ORIGIN))
    asked = f"ts -verify -data {tmp_path / 'stamped'} -in {stamp} -CAfile root.pem"
    assert authority.run(asked) == 0
    bundle, policy = tmp_path / "b.zip", tmp_path / "policy"
    call_command("prove_record", "--since", "2020-01-01T00:00:00Z", "--until",
                 "2100-01-01T00:00:00Z", "--output", str(bundle), "--reveal", "all")  # fmt: skip
    policy.write_bytes(quorum().policy(log_keys()))
    capsys.readouterr()
    call_command("verify_record", str(bundle), "--policy", str(policy), "--json", "--authorities",
                 str(authority.folder / "root.pem"))  # fmt: skip
    assert json.loads(capsys.readouterr().out)["ok"]
    (tmp_path / "verify.py").write_text(source())
    command = [sys.executable, "-I", "verify.py", "b.zip", "--policy", "policy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "not verified here. Run: openssl ts -verify -digest" in done.stdout


def test_stamps_are_made_daily(owner: Owner, served: Served) -> None:
    owner.round(1)
    for hours, count in ((0, 1), (21, 1), (1, 2)):
        owner.clock.ahead += timedelta(hours=hours)
        owner.round(10 + hours)
        Runner(clock=owner.clock).stamp()
        assert len(stamps(owner)) == count


def test_without_witnesses_a_stamped_checkpoint_is_marked(
    owner: Owner, served: Served, settings: Settings
) -> None:
    settings.RECORD_WITNESSES = []
    settings.RECORD_WITNESSES_NEEDED = 0
    owner.enter(1)
    owner.publish()
    assert Runner(clock=owner.clock).stamp().delivered == 1
    assert RecordEntry.objects.filter(kind="mark").count() == 1
    owner.publish()
    owner.clock.ahead += timedelta(days=2)
    assert Runner(clock=owner.clock).stamp().delivered == 0, "only a mark was entered since"


def test_what_is_no_stamp_of_this_checkpoint_is_not_kept(
    owner: Owner, served: Served, authority: Authority, settings: Settings, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    wrong: list[Callable[[bytes], bytes]] = [
        lambda request: b"nothing",
        Authority(stranger).stamp,
    ]
    old: list[bytes] = []

    def again(request: bytes) -> bytes:
        old.append(old[0] if old else authority.stamp(request))
        return old[0]

    owner.round(1)
    for answer in wrong:
        served.answer = answer
        owner.clock.ahead += timedelta(days=1)
        assert Runner(clock=owner.clock).stamp().delivered == 0
        found = [each.kind.code for each in problems.problems(owner.clock())]
        assert found == ["record.stamp_fails"]
    assert stamps(owner) == []
    settings.RECORD_STAMP_CERTIFICATES = ""  # the signature is not verified; all else is
    served.answer = again
    for delivered in (1, 0):
        owner.clock.ahead += timedelta(days=1)
        owner.round(5 + delivered)
        assert Runner(clock=owner.clock).stamp().delivered == delivered
    assert len(stamps(owner)) == 1


def test_an_authority_that_does_not_work_is_asked_again(owner: Owner, served: Served) -> None:
    owner.round(1)
    served.answer = lambda request: b""
    assert Runner(clock=owner.clock).stamp().postponed == 1
    served.answer = None
    owner.clock.ahead += timedelta(minutes=5)
    assert Runner(clock=owner.clock).stamp().delivered == 1
    assert RecordSubmission.objects.filter(kind="authority").count() == 1
