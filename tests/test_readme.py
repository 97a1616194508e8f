"""What the README says is true."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from tests.installation import ROOT

README = (ROOT / "README.md").read_text()


def test_ci_runs_the_readmes_test_command() -> None:
    (command,) = re.findall(r"^python3 .*pytest$", README, re.M)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"^argo (\w+)", README, re.M)) | {"up"}
    assert named <= set(get_commands())


@pytest.mark.django_db
def test_the_replay_prints_what_the_readme_shows() -> None:
    out = StringIO()
    call_command("replay", "--from", "2000-01-01", "--to", "2013-12-31", stdout=out)
    (shown,) = re.findall(r"```text\n( +bars .*?)```", README, re.S)
    assert shown == out.getvalue()


def test_every_file_in_the_readme_exists() -> None:
    for name in re.findall(r"`(\.?[\w/]+\.(?:example|txt|toml))`|`(\.ci/run)`", README):
        assert Path(ROOT, next(filter(None, name))).exists()
