"""README.md and the manual show the truth: commands run, and print what is shown."""

import json
import re
import shlex
import subprocess
from dataclasses import replace
from itertools import pairwise

import pytest
from django.core.management import get_commands, load_command_class

from tests.installation import ROOT
from tests.manual.blocks import Block, blocks, documents
from tests.manual.shell import Clone, agrees
from tests.samples import a_signal

WORDS = {"bash", "sh", "text", "json", "python", "toml", "ini", "nginx"}
OUTPUT, RUNS = ("text", "json"), ("bash", "python")
RUN = {
    name: path
    for name, path in documents().items()
    if any(block.word in ("bash", "python") for block in blocks(path))
}


@pytest.mark.parametrize("name", RUN)
def test_what_is_shown_runs_and_prints_what_is_shown(name: str, clone: Clone) -> None:
    every = list(blocks(RUN[name]))
    clone = BEFORE.get(name, _nothing)(clone)
    for block in every:
        if block.file_name:
            (clone.folder / block.file_name).write_text(block.text)
    outputs = clone.run(every, with_server=_calls(every) or name == "sync")
    assert clone.refused == {line for line, shown in _shown(every) if '"errors"' in shown.text}
    for line, shown in _shown(every):
        printed = outputs[line]
        assert agrees(shown.text, printed), f"{RUN[name]}:{shown.line}\n{printed}"


@pytest.mark.parametrize("name", RUN)
def test_every_fence_says_what_its_block_is_for(name: str) -> None:
    assert {block.word for block in blocks(RUN[name])} <= WORDS


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
                app = get_commands()[command]
                parser = load_command_class(str(app), command).create_parser("manage.py", command)
                parser.parse_args(arguments)


def test_ci_runs_the_readmes_test_command() -> None:
    (command,) = (b.text.strip() for b in blocks(ROOT / "README.md") if "pytest" in b.text)
    assert command in (ROOT / ".ci/run").read_text().splitlines()


def _commands(text: str) -> list[list[str]]:
    """Return the words of each command of Argo in a script."""
    found = re.findall(r"(?:^|\s)(?:argo|manage\.py) (.+?)(?:$|&&|\|)", text, re.MULTILINE)
    return [shlex.split(words, comments=True) for words in found]


def _nothing(clone: Clone) -> Clone:
    return clone


def _with_signal(clone: Clone) -> Clone:
    """Let there be something to back up and to rebuild."""
    clone.output("log_signal", json.dumps(a_signal()))
    return clone


def _with_alpine(clone: Clone) -> Clone:
    """Let it be its own Alpine, with a key that may read and write."""
    key = clone.output("api_key", "--create", "alpine").split()[0]
    address = f"http://127.0.0.1:{clone.port}/api/signals"
    return replace(clone, settings={"ALPINE_API_KEY": key, "ALPINE_ENDPOINT": address})


BEFORE = {"operations": _with_signal, "recover": _with_signal, "sync": _with_alpine}
"""What a page takes for granted beyond an empty installation."""


def _calls(every: list[Block]) -> bool:
    return any("curl" in block.text for block in every if block.word == "bash")


def _shown(every: list[Block]) -> list[tuple[int, Block]]:
    """Return each block of output with the line of the block that prints it."""
    pairs = pairwise(every)
    return [(did.line, block) for did, block in pairs if did.word in RUNS and block.word in OUTPUT]
