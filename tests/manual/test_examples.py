"""README.md and the manual show the truth: commands run, and print what is shown."""

import re
import shlex
import subprocess

import pytest
from django.core.management import get_commands, load_command_class

from tests.installation import ROOT
from tests.manual.blocks import blocks, documents
from tests.manual.pages import RUN, run
from tests.manual.shell import Clone, agrees

WORDS = {"bash", "sh", "text", "json", "python", "toml", "ini", "nginx", "dockerfile"}
OF_MANAGE_PY = "check_python"
"""It runs before anything is installed, and is not a command of Django's."""


@pytest.mark.parametrize("name", RUN)
def test_what_is_shown_runs_and_prints_what_is_shown(name: str, clone: Clone) -> None:
    """If only outputs differ: `python -m tests.manual.renew` writes them anew."""
    for shown, printed in run(name, clone):
        assert agrees(shown.text, printed), f"{RUN[name]}:{shown.line}\n{printed}"


@pytest.mark.parametrize("name", documents())
def test_every_fence_says_what_its_block_is_for(name: str) -> None:
    assert {block.word for block in blocks(documents()[name])} <= WORDS


def test_a_difference_in_the_output_is_noticed() -> None:
    assert agrees("1 stored\nid …\n", "1 stored\nid 17\n")
    assert not agrees("1 stored\n", "2 stored\n")
    assert not agrees("1 stored\n", "1 stored\n1 more\n")


@pytest.mark.parametrize("name", documents())
def test_commands_that_are_not_run_are_bash_and_take_their_arguments(name: str) -> None:
    for block in blocks(documents()[name]):
        if block.word == "sh":
            subprocess.run(["/bin/bash", "-n", "-c", block.text], check=True)
            for command, *arguments in _commands(block.text):
                if command != OF_MANAGE_PY:
                    made = load_command_class(str(get_commands()[command]), command)
                    made.create_parser("manage.py", command).parse_args(arguments)


def test_ci_runs_the_readmes_test_command() -> None:
    (command,) = (b.text.strip() for b in blocks(ROOT / "README.md") if "pytest" in b.text)
    assert command in (ROOT / ".ci/run").read_text().splitlines()


def _commands(text: str) -> list[list[str]]:
    """Return the words of each command of Argo in a script."""
    found = re.findall(r"(?:^|\s)(?:argo|manage\.py) (.+?)(?:$|&&|\|)", text, re.MULTILINE)
    return [shlex.split(words, comments=True) for words in found]
