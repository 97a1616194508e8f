"""The public pages: made from the bundle that they offer, escaped, and only if it is wanted."""

import hashlib
import io
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from argo.errors import ArgoError
from argo.health.registry import kinds
from argo.track_record import failure, schedule
from argo.track_record.publication import publish
from argo.track_record.published import folder, published
from argo.up.child import Spec
from argo.up.once import Ended
from signals.clock import utc_now
from signals.record.one_file import source
from tests.argo.track_record.conftest import STRATEGY, close
from tests.signals.record.proving.conftest import Owner

PATHS = ("/record/", f"/record/{STRATEGY}/", "/record/bundle.zip", "/record/policy")


@pytest.fixture
def settings_of_publisher(publisher: Owner, settings: Settings) -> Settings:
    settings.RECORD_STRATEGIES = [STRATEGY]
    return settings


@pytest.fixture
def made(settings_of_publisher: Settings) -> None:
    publish(utc_now())


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer
    assert answer["Cache-Control"] == "public, max-age=300"
    return answer.content.decode()


@pytest.mark.usefixtures("made")
def test_the_page_shows_what_the_bundle_proves(client: Client) -> None:
    page = text(client, f"/record/{STRATEGY}/")
    assert "66.7% of 3 closed signals won" in page
    assert "Every line of the record is shown." in page
    assert "<strong>w1</strong>" in page
    assert page.count(">verified</span>") == 6
    data = b"".join(client.get("/record/bundle.zip").streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(data).hexdigest() in page
    listed = text(client, "/record/")
    assert f'href="/record/{STRATEGY}/"' in listed
    assert "66.7%" in listed
    assert "verified: 66.7% of 3 won" in text(client, f"/record/{STRATEGY}/badge.svg")


@pytest.mark.usefixtures("made")
def test_the_commands_on_the_page_verify_what_it_offers(client: Client, tmp_path: Path) -> None:
    """With nothing but Python and the three files."""
    page = text(client, f"/record/{STRATEGY}/")
    bundle = client.get("/record/bundle.zip")
    (tmp_path / "bundle.zip").write_bytes(b"".join(bundle.streaming_content))  # type: ignore[attr-defined]
    (tmp_path / "policy").write_bytes(client.get("/record/policy").content)
    (tmp_path / "verify.py").write_bytes(client.get("/record/verify.py").content)
    assert (tmp_path / "verify.py").read_text() == source()
    (command,) = re.findall(r"python3 (verify\.py bundle\.zip --policy policy)", page)
    done = subprocess.run(
        [sys.executable, "-I", *command.split()],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "win rate 0.666667" in done.stdout, done.stdout


@pytest.mark.usefixtures("made")
def test_without_the_operators_word_there_is_nothing(client: Client, settings: Settings) -> None:
    settings.RECORD_PUBLIC = False
    assert {client.get(path).status_code for path in (*PATHS, "/record/x/badge.svg")} == {404}


def test_before_anything_is_published_the_index_says_so(
    client: Client, settings_of_publisher: Settings
) -> None:
    assert "has not published" in text(client, "/record/")
    assert {client.get(path).status_code for path in PATHS[1:]} == {404}
    assert "no public record" in text(client, f"/record/{STRATEGY}/badge.svg")


@pytest.mark.usefixtures("made")
def test_a_line_of_another_strategy_is_not_shown_and_counts_as_a_loss(
    client: Client, settings: Settings
) -> None:
    settings.RECORD_STRATEGIES = ["other/<b>"]
    publish(utc_now())
    page = text(client, "/record/other/%3Cb%3E/")
    assert "0.0% of 7 closed signals won" in page
    assert "7 lines of the record not shown, each counted as a loss" in page
    assert "<b>" not in page
    assert "<b>" not in text(client, "/record/other/%3Cb%3E/badge.svg")
    assert {each.name for each in folder().glob("bundle-*")} == {published().bundle}  # type: ignore[union-attr]


def test_a_refused_bundle_is_said_on_the_page_and_is_a_problem(
    client: Client, settings_of_publisher: Settings
) -> None:
    """Fewer witnesses have signed than the operator's own policy asks for."""
    settings_of_publisher.RECORD_WITNESSES_NEEDED = 3
    out = io.StringIO()
    with pytest.raises(CommandError, match="name every fault") as refused:
        call_command("publish_track_records", stdout=out)
    assert refused.value.returncode == 1
    assert "nothing in it is proved" in out.getvalue()
    page = text(client, f"/record/{STRATEGY}/")
    assert "Not accepted" in page
    assert ">verified</span>" not in page
    (found,) = failure.problems(utc_now())
    assert found.kind is failure.REFUSED


def test_a_line_that_was_changed_since_is_not_published(
    publisher: Owner, settings_of_publisher: Settings
) -> None:
    path = publisher.folder / "signals.log"
    path.write_bytes(path.read_bytes().replace(b'"loss"', b'"lost"'))
    with pytest.raises(ArgoError, match="was changed"):
        publish(utc_now())
    assert published() is None


def test_it_is_made_once_a_day_and_when_other_strategies_are_wanted(
    settings_of_publisher: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    def run(spec: Spec) -> Ended:
        publish(utc_now())
        runs.append(spec.name)
        return Ended(0, "")

    monkeypatch.setattr(schedule, "run_once", run)
    now = utc_now()
    assert schedule.publish_due(now)
    assert not schedule.publish_due(now + timedelta(hours=23))
    assert schedule.publish_due(now + timedelta(hours=25))
    settings_of_publisher.RECORD_STRATEGIES = []
    assert not schedule.publish_due(now + timedelta(days=9))
    assert len(runs) == 2


def test_a_failure_is_a_problem_until_it_works(settings_of_publisher: Settings) -> None:
    failure.keep("no disk")
    (found,) = failure.problems(utc_now())
    assert "no disk" in str(found)
    assert {each.code for each in failure.KINDS} <= kinds().keys()
    call_command("publish_track_records", stdout=io.StringIO())
    assert list(failure.problems(utc_now())) == []


def test_what_came_since_is_there_next_time(
    client: Client, publisher: Owner, settings_of_publisher: Settings
) -> None:
    publish(utc_now())
    close(publisher, "signal-4", 0.9)
    publisher.cosign(0, 1)
    assert "66.7% of 3" in text(client, f"/record/{STRATEGY}/")
    publish(utc_now())
    assert "50.0% of 4" in text(client, f"/record/{STRATEGY}/")
