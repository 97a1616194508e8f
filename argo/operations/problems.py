"""The page of problems: those that exist, and those that were, on a line of time."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.http import HttpRequest

from argo.health import past, registry
from argo.health.report import as_dict
from argo.operations.period import PERIODS, chosen
from argo.operations.timeline import Bar, timeline
from signals import config
from signals.clock import utc_now
from signals.models import Node, OpenProblem
from signals.problems import Problem


class Shown(NamedTuple):
    """A problem as the page shows it; one without an end exists now.

    `began_at` is None if no worker has noticed it yet. `host` is empty if all machines share it.
    """

    code: str
    sentence: str
    began_at: datetime | None
    ended_at: datetime | None
    host: str
    advice: str = ""
    page: str = ""


def content(request: HttpRequest) -> dict[str, Any]:
    """Return the problems that exist now, and those that ended in the period."""
    now, period = utc_now(), chosen(request)
    begin = now - period.length
    hosts = _Hosts()
    open_ones = list(_open(now, hosts))
    ended = [
        Shown(row.code, row.sentence, row.began_at, row.ended_at, hosts.of(row.node))
        for row in past.ended_since(begin)
    ]
    return {
        "open": open_ones,
        "ended": ended,
        "most": past.MOST if len(ended) == past.MOST else None,
        "period": period,
        "periods": PERIODS.values(),
        "chart": timeline(
            f"When problems existed, {period.title.lower()}",
            [_bar(each, begin, now) for each in [*open_ones, *ended]],
            period.labels(begin, now),
        ),
    }


class _Hosts:
    """The machines' names by the identities of their journals."""

    def __init__(self) -> None:
        self._names = dict(Node.objects.values_list("identity", "host"))

    def of(self, node: str) -> str:
        """Return the machine's name, or the beginning of its identity; empty for all machines."""
        return self._names.get(node) or node[:8]


def _open(now: datetime, hosts: _Hosts) -> Iterator[Shown]:
    """Yield what this machine finds now, and what others have noticed of themselves."""
    own = config.journal().identity
    rows = list(OpenProblem.objects.order_by("began_at"))
    began = {(row.node, row.code, row.about): row.began_at for row in rows}
    for problem in registry.problems(now):
        node = own if problem.kind.is_of_node else ""
        yield _found(
            problem, began.get((node, problem.kind.code, problem.about[:200])), hosts.of(node)
        )
    yield from _of_others(rows, own, hosts)


def _found(problem: Problem, began_at: datetime | None, host: str) -> Shown:
    told = as_dict(problem)
    return Shown(told["code"], told["sentence"], began_at, None, host, told["advice"], told["page"])


def _of_others(rows: Iterable[OpenProblem], own: str, hosts: _Hosts) -> Iterator[Shown]:
    for row in rows:
        if row.node not in ("", own):
            yield Shown(row.code, row.sentence, row.began_at, None, hosts.of(row.node))


def _bar(shown: Shown, begin: datetime, now: datetime) -> Bar:
    """Return the part of the period in which the problem existed, as shares of 0 to 1."""
    first = max(shown.began_at or now, begin)
    until = shown.ended_at or now
    span = now - begin
    return Bar(
        shown.code, (first - begin) / span, (until - begin) / span, shown.sentence,
        is_open=shown.ended_at is None,
    )  # fmt: skip
