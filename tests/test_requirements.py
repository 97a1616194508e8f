"""requirements.txt holds what runs Argo, tests/requirements.txt what tests and checks add."""

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.installation import ROOT

RUN, TEST = ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt"
PYTHONS = ("3.11", "3.12", "3.13")


def lines(text: str) -> list[str]:
    without_comments = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in without_comments if line]


def pins(text: str) -> dict[str, str]:
    """Return the version of each package that is named, which must be an exact one."""
    found = (re.fullmatch(r"([\w.-]+)==([\w.]+)( ;.*)?", line) for line in lines(text))
    return {str(canonicalize_name(pin[1])): pin[2] for pin in found if pin}


def named(text: str) -> set[str]:
    """Return the packages above the list of what those need in turn."""
    return set(pins(text.partition("# What those need in turn")[0]))


def needed(names: Iterable[str]) -> set[str]:
    """Return these packages and all that they need on any supported Python."""
    seen: set[Requirement] = set()
    todo = {Requirement(name) for name in names}
    while todo:
        seen |= todo
        todo = {need for each in todo for need in _direct(each)} - seen
    return {str(canonicalize_name(each.name)) for each in seen}


def _direct(requirement: Requirement) -> set[Requirement]:
    try:
        needs = map(Requirement, distribution(requirement.name).requires or ())
    except PackageNotFoundError:  # this Python does not need it; such backports need no others
        return set()
    return {_plain(need) for need in needs if _applies(need, requirement.extras)}


def _plain(need: Requirement) -> Requirement:
    extras = f"[{','.join(sorted(need.extras))}]" if need.extras else ""
    return Requirement(f"{canonicalize_name(need.name)}{extras}")


def _applies(need: Requirement, extras: set[str]) -> bool:
    return need.marker is None or any(
        need.marker.evaluate(
            {"extra": extra, "python_version": python, "python_full_version": f"{python}.0"}
        )
        for extra in ("", *extras)
        for python in PYTHONS
    )


def test_every_package_is_pinned_to_one_version_in_one_of_the_files() -> None:
    run, test = RUN.read_text(), TEST.read_text()
    assert lines(test)[0] == "-r ../requirements.txt"
    assert len(pins(run)) == len(lines(run))
    assert len(pins(test)) == len(lines(test)) - 1
    assert not pins(run).keys() & pins(test).keys()


def test_requirements_txt_holds_what_runs_argo_and_nothing_else() -> None:
    run = RUN.read_text()
    assert needed(named(run)) == pins(run).keys()


def test_the_tests_requirements_add_what_tests_and_checks_need_and_nothing_else() -> None:
    run, test = RUN.read_text(), TEST.read_text()
    assert needed(named(test)) - pins(run).keys() == pins(test).keys()
