"""Argo runs on the Pythons that pyproject.toml names, and says so clearly on any other."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import manage
from tests import pythons
from tests.installation import ROOT

PYENV = Path.home() / ".pyenv" / "versions"
REFUSED = re.compile(
    r"Argo needs Python 3\.11, 3\.12 or 3\.13; \S+ is Python (\d+\.\d+)\.\nInstall [^\n]+\.\n"
)


def pythons_of_pyenv(version: str) -> Path:
    """Return this version's interpreter; skip the test if this machine has none."""
    found = sorted(PYENV.glob(f"{version}.*/bin/python{version}"))
    if not found:
        pytest.skip(f"there is no Python {version} under {PYENV}")
    return found[0]


@pytest.mark.parametrize("command", ["check_python", "up"])
@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.9", "3.10"])
def test_an_old_python_is_refused_in_two_lines(version: str, command: str) -> None:
    ended = subprocess.run(
        [pythons_of_pyenv(version), "manage.py", command],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 2
    found = REFUSED.fullmatch(ended.stderr)
    assert found, ended.stderr
    assert found[1] == version
    assert not ended.stdout


def test_the_readmes_commands_end_with_that_message_before_they_make_anything(
    tmp_path: Path,
) -> None:
    old = pythons_of_pyenv("3.8").parent
    commands = re.findall(r"^python3 .*", (ROOT / "README.md").read_text(), re.M)
    shutil.copy(ROOT / "manage.py", tmp_path)
    assert len(commands) == 2
    for command in commands:
        ended = subprocess.run(
            ["/bin/sh", "-c", command], cwd=tmp_path, env={"PATH": f"{old}:/usr/bin:/bin"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 2
        assert REFUSED.fullmatch(ended.stderr), ended.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0), (4, 0, 0)])
def test_a_python_too_old_or_too_new_is_refused(
    version: tuple[int, int, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as ended:
        manage.check_python()
    assert ended.value.code == 2
    assert REFUSED.fullmatch(capsys.readouterr().err)


def test_manage_py_can_be_read_by_python_3_6_and_imports_nothing_before_the_check() -> None:
    tree = ast.parse((ROOT / "manage.py").read_text(), feature_version=(3, 6))
    imported = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imported] == ["import sys"]
    last = tree.body[-1]
    assert isinstance(last, ast.If)
    assert [ast.unparse(node) for node in last.body] == ["check_python()", "main()"]


def test_check_python_needs_nothing_installed() -> None:
    """It is the first step of the README's commands."""
    isolated = [sys.executable, "-I", "-S", "manage.py", "check_python"]
    ended = subprocess.run(
        isolated, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_the_versions_are_those_of_pyproject_toml() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest, too_new = (".".join(map(str, each)) for each in (manage.OLDEST, manage.TOO_NEW))
    assert project["requires-python"] == f">={oldest},<{too_new}"
    assert pythons.supported() == [(3, 11), (3, 12), (3, 13)]


def test_a_shim_that_runs_nothing_is_passed_over_for_one_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = next(version for version in pythons.supported() if version != sys.version_info[:2])
    name = "python{}.{}".format(*wanted)
    shim, broken, good = (
        _a_program(tmp_path / "path" / name, "exit 127"),
        _a_program(tmp_path / "{}.{}.2".format(*wanted) / "bin" / name, "echo 3 10"),
        _a_program(
            tmp_path / "{}.{}.1".format(*wanted) / "bin" / name, "echo {} {}".format(*wanted)
        ),
    )
    monkeypatch.setenv("PATH", f"{shim.parent}:/usr/bin:/bin")

    assert broken.exists()
    assert pythons.others(tmp_path)[wanted] == good
    _a_program(shim, "echo {} {}".format(*wanted))
    assert pythons.others(tmp_path)[wanted] == shim


def _a_program(path: Path, line: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path
