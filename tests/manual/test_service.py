"""The units and the container file of the manual fit Argo, and systemd accepts the units."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from argo.settings import env
from manage import OLDEST, TOO_NEW
from tests.installation import PREFIXES, ROOT
from tests.manual.blocks import Block, blocks, documents

SERVICE = list(blocks(documents()["service"]))
UNITS = {str(each.file_name): each.text for each in SERVICE if each.word == "ini"}
CONTAINER = "".join(each.text for each in SERVICE if each.text.startswith("# Containerfile"))
COMMAND = re.compile(r"manage\.py\"?,? \"?([a-z_]+)")


def test_there_are_units_and_a_container_file() -> None:
    assert set(UNITS) == {"argo.service", "argo-backup.service", "argo-backup.timer"}
    assert CONTAINER


@pytest.mark.parametrize("text", [*UNITS.values(), CONTAINER], ids=[*UNITS, "Containerfile"])
def test_the_commands_and_settings_that_are_named_exist(text: str) -> None:
    assert set(COMMAND.findall(text)) <= get_commands().keys()
    named = set(re.findall(r"\b([A-Z][A-Z_]+)=", text))
    assert {name for name in named if name.startswith(PREFIXES)} <= env.asked


def test_the_commands_of_the_units_take_their_arguments() -> None:
    for unit, name in (("argo.service", "up"), ("argo-backup.service", "backup")):
        (found,) = re.findall(rf"manage\.py ({name}.*)$", UNITS[unit], re.MULTILINE)
        _, *arguments = shlex.split(found.rstrip("'"))
        made = load_command_class(str(get_commands()[name]), name)
        made.create_parser("manage.py", name).parse_args(arguments)


ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for name, text in UNITS.items():
        here = text.replace("/srv/argo/.venv/bin/python", sys.executable)
        (tmp_path / name).write_text(here)
    checked = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True, text=True, check=False,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    own = [line for line in checked.stderr.splitlines() if "argo" in line]
    assert (checked.returncode, own) == (0, []), checked.stderr


def test_the_container_runs_a_supported_python_as_a_user_without_rights() -> None:
    (version,) = re.findall(r"^FROM python:3\.(\d+)-slim$", CONTAINER, re.MULTILINE)
    assert OLDEST <= (3, int(version)) < TOO_NEW
    (user,) = re.findall(r"^USER (\w+)$", CONTAINER, re.MULTILINE)
    assert f" {user} " in CONTAINER
    assert user != "root"


def test_the_volume_is_the_data_folder_and_the_copied_files_are_there() -> None:
    (volume,) = re.findall(r"^VOLUME (\S+)$", CONTAINER, re.MULTILINE)
    assert f"ARGO_DATA_DIR={volume} " in CONTAINER
    copied = re.findall(r"^COPY (\S+) ", CONTAINER, re.MULTILINE)
    assert copied == ["requirements.txt", "."]
    assert all((ROOT / name).exists() for name in copied)


def test_no_secret_and_no_data_gets_into_the_image() -> None:
    (ignored,) = (each for each in SERVICE if each.text.startswith("# .containerignore"))
    assert {".env", "data"} <= set(_lines(ignored))


def _lines(block: Block) -> list[str]:
    return block.text.splitlines()
