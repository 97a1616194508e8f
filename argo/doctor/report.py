"""What the doctor found, for a person and for a program."""

from collections.abc import Iterator, Sequence
from typing import Any

from argo.doctor.check import Check, Result, Trouble
from argo.doctor.examine import Examination
from argo.health.report import as_dict as problem_as_dict
from argo.logs.text import escaped
from argo.manual.rendering import served

MARKS = {
    Result.OK: "ok",
    Result.WARNING: "WARNING",
    Result.PROBLEM: "PROBLEM",
    Result.SKIPPED: "-",
}
MARK_WIDTH = 9
NAME_WIDTH = 22


def as_dict(found: Examination) -> dict[str, Any]:
    """Return the examination for a program."""
    return {
        "status": "problems" if found.problem_count else "ok",
        "problems": [problem_as_dict(problem) for problem in found.problems],
        "troubles": [_trouble_as_dict(trouble) for trouble in found.troubles],
        "what_to_do": what_to_do(found),
        "can_fix": [repair.text for repair in found.repairs],
        "fixed": list(found.fixed),
    }


def as_text(found: Examination) -> str:
    """Return the examination for a person: problems first, what to do last."""
    parts = [_fixed(found), _head(found), *map(_trouble, found.troubles), _next(found)]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def what_to_do(found: Examination) -> list[str]:
    """Return the advice for each problem and then for each warning, once each."""
    checks = [*found.with_result(Result.PROBLEM), *found.with_result(Result.WARNING)]
    advice = [problem.kind.advice for problem in found.problems]
    advice += [check.finding.advice for check in checks if check.finding.advice]
    return list(dict.fromkeys(advice))


def _fixed(found: Examination) -> Iterator[str]:
    yield from found.fixed


def _head(found: Examination) -> Iterator[str]:
    """Yield the number of problems, and each one."""
    warnings = len(found.with_result(Result.WARNING))
    yield f"{counted(found.problem_count, 'problem')}, {counted(warnings, 'warning')}"
    for problem in found.problems:
        yield f"  {problem.kind.code}: {escaped(problem.sentence)}"
    for check in found.with_result(Result.PROBLEM):
        yield f"  {check.name}: {escaped(check.finding.sentence)}"


def _trouble(trouble: Trouble) -> Iterator[str]:
    if trouble.checks:
        yield trouble.title
        yield from map(_line, trouble.checks)


def _line(check: Check) -> str:
    sentence = escaped(check.finding.sentence)
    return f"  {MARKS[check.result]:<{MARK_WIDTH}}{check.name:<{NAME_WIDTH}}{sentence}"


def _next(found: Examination) -> Iterator[str]:
    """Yield what to do, and what `--fix` would do of it."""
    advice = what_to_do(found)
    if advice:
        yield "What to do"
        yield from (f"  {number}. {text}" for number, text in enumerate(advice, 1))
    if found.repairs:
        yield "argo doctor --fix would:"
        yield from (f"  - {repair.text}" for repair in found.repairs)


def counted(number: int, what: str) -> str:
    """Return a number with its noun: "no problems", "1 problem"."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _trouble_as_dict(trouble: Trouble) -> dict[str, Any]:
    return {"trouble": trouble.title, "checks": _checks_as_dicts(trouble.checks)}


def _checks_as_dicts(checks: Sequence[Check]) -> list[dict[str, str]]:
    return [
        {
            "name": check.name,
            "result": check.result.value,
            "sentence": check.finding.sentence,
            "advice": check.finding.advice,
            "page": served(check.finding.page) if check.finding.page else "",
        }
        for check in checks
    ]
