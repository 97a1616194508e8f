"""The verifier as one file needs nothing but Python, and finds what Argo finds."""

import ast
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from signals.record.bundle import make_proof
from signals.record.one_file import HERE, MODULES, source
from signals.record.verifier.cli import main
from tests.signals.record.sample import POLICY, Record, honest


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return honest(tmp_path_factory.mktemp("honest"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, record: Record) -> Path:
    """Return a folder with the verifier, a policy, a bundle, a known checkpoint and a proof."""
    place = tmp_path_factory.mktemp("outsider")
    (place / "verify.py").write_text(source(), encoding="utf-8")
    (place / "policy").write_bytes(POLICY)
    (place / "bundle.zip").write_bytes(record.bundle())
    (place / "known").write_bytes(record.checkpoints[1])
    shown = record.lines[min(record.lines)]
    tiles = record.folder.tiles(len(record.entries))
    proof = make_proof(tiles, record.checkpoints[-1], shown.index, shown.salt)
    (place / "signal.tlog-proof").write_bytes(proof.encoded())
    (place / "line").write_bytes(shown.line + b"\n")
    return place


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the file without Argo, without any installed package, and without an environment."""
    command = [sys.executable, "-I", "-S", "verify.py", *arguments]
    return subprocess.run(command, cwd=place, env={}, capture_output=True, text=True, check=False)


def test_no_two_modules_define_the_same_name() -> None:
    """Joined to one file, the second would replace the first."""
    names: Counter[str] = Counter()
    for module in MODULES:
        for node in ast.parse((HERE / f"{module}.py").read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names[node.name] += 1
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                stored = (each for each in ast.walk(node) if isinstance(each, ast.Name))
                names.update({each.id for each in stored if isinstance(each.ctx, ast.Store)})
    assert [name for name, count in names.items() if count > 1] == []


def test_every_module_of_the_verifier_is_in_the_file() -> None:
    found = {
        path.relative_to(HERE).with_suffix("").as_posix()
        for folder in ("formats", "verifier")
        for path in (HERE / folder).glob("*.py")
        if path.name != "__init__.py"
    }
    assert found == set(MODULES)


def test_the_file_imports_the_standard_library_alone() -> None:
    tree = ast.parse(source())
    modules = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules <= sys.stdlib_module_names


def test_every_name_in_the_file_is_defined(place: Path) -> None:
    """Modules are imported by the names in them: `module.name` would not be there."""
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F"]
    done = subprocess.run(
        [*ruff, "--stdin-filename", "joined.py", "-"],
        input=source().replace("# ruff: noqa", ""), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_it_finds_what_argo_finds(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = ("--policy", str(place / "policy"), "--json", "--known", str(place / "known"))
    done = run(place, str(place / "bundle.zip"), *policy)
    assert (done.returncode, done.stderr) == (0, "")
    assert main([str(place / "bundle.zip"), *policy]) == 0
    assert json.loads(done.stdout) == json.loads(capsys.readouterr().out)


def test_it_names_what_is_wrong(place: Path, record: Record) -> None:
    folder = record.folder.path
    assert run(place, str(folder), "--policy", "policy").returncode == 0
    other = place / "other-policy"
    other.write_bytes(b"quorum none\n")
    done = run(place, str(folder), "--policy", "other-policy")
    assert done.returncode == 1
    assert "WRONG (checkpoint)" in done.stdout
    assert done.stdout.endswith("NOT ACCEPTED\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("bundle.zip",),
        ("bundle.zip", "--policy", "missing"),
        ("bundle.zip", "--policy", "bundle.zip"),
        ("missing", "--policy", "policy"),
        ("bundle.zip", "--policy", "policy", "--known", "missing"),
        ("bundle.zip", "--policy", "policy", "--delay", "-1"),
        ("signal.tlog-proof", "--policy", "policy"),
    ],
)
def test_wrong_usage_exits_with_2_and_a_sentence(place: Path, arguments: tuple[str, ...]) -> None:
    done = run(place, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_a_proof_file_is_accepted_for_its_own_line_only(place: Path) -> None:
    ask = ("signal.tlog-proof", "--policy", "policy", "--line")
    done = run(place, *ask, "line", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["kind"], found["signal_id"]) == (0, "signal", "signal-0")
    assert found["existed_by"]
    (place / "other").write_bytes((place / "line").read_bytes().replace(b"100.0", b"100.5"))
    done = run(place, *ask, "other")
    assert done.returncode == 1
    assert "WRONG (inclusion)" in done.stdout
    assert "WRONG (hash)" in done.stdout
