"""The demo measures once what each source is worth, after its replay."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from argo.up import demo
from argo.up.child import Spec
from argo.up.demo_alpine import DemoAlpine

pytestmark = pytest.mark.django_db(transaction=True)


class Once:
    """A process that has run when it is looked at for the second time."""

    def __init__(self, spec: Spec, exit_code: int) -> None:
        self.spec, self.exit_code, self._looks = spec, exit_code, iter([False])

    @property
    def is_finished(self) -> bool:
        return next(self._looks, True)


class Demo:
    """Runs the steps of a demo; what it starts ends with `exit_code`."""

    def __init__(self, folder: Path, exit_code: int = 0) -> None:
        self.started: list[str] = []
        self.niceness: list[int] = []
        self.said: list[str] = []
        self._exit_code = exit_code
        self._alpine = DemoAlpine(folder, 1)

    def run(self) -> None:
        steps: Iterator[None] = demo.run_demo(self._start, self.said.append, self._alpine)  # type: ignore[arg-type]  # a stand-in
        for _ in steps:
            pass

    def _start(self, spec: Spec) -> Once:
        self.started.append(" ".join(spec.command))
        self.niceness.append(spec.niceness)
        return Once(spec, 0 if "replay" in spec.command else self._exit_code)


@pytest.fixture
def in_the_demos_alpine(tmp_path: Path) -> Path:
    (tmp_path / "alpine").mkdir()
    (tmp_path / "alpine" / "demo.key").write_text("key")
    return tmp_path / "alpine"


def test_it_measures_after_the_replay_and_only_once(
    in_the_demos_alpine: Path, settings: Settings
) -> None:
    first = Demo(in_the_demos_alpine)
    first.run()
    assert len(first.started) == 2
    assert first.started[1].endswith("manage.py weigh_sources --verbosity 0")
    assert all(niceness > 0 for niceness in first.niceness), first.niceness
    assert first.said[-1].endswith("/report/")

    settings.MARKET_SYMBOLS = ("FB",)
    call_command("weigh_sources", "--verbosity", "0")
    again = Demo(in_the_demos_alpine)
    again.run()
    assert len(again.started) == 1
    assert again.said[-1].endswith("/report/")


def test_it_says_that_measuring_failed(in_the_demos_alpine: Path) -> None:
    failing = Demo(in_the_demos_alpine, exit_code=1)
    failing.run()
    assert failing.said[-1] == (
        "Measuring the sources ended with exit code 1; see its lines above."
    )
