"""What the README says is true."""

import re
from pathlib import Path

from django.core.management import get_commands

from tests.installation import ROOT

README = (ROOT / "README.md").read_text()


def test_ci_runs_the_readmes_test_command() -> None:
    (command,) = re.findall(r"^python3.11 .*pytest$", README, re.M)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"^argo (\w+)", README, re.M)) | {"up"}
    assert named <= set(get_commands())


def test_every_file_in_the_readme_exists() -> None:
    for name in re.findall(r"`(\.?[\w/]+\.(?:example|txt|toml))`|`(\.ci/run)`", README):
        assert Path(ROOT, next(filter(None, name))).exists()
