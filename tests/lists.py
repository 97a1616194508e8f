"""Tries every filter of a list of the API, by the values of an item that the list has."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection
from django.test import Client

from signals.retrieval.lists import PagedQuery

Item = dict[str, Any]
OTHERS = {"side": ("BUY", "SELL"), "outcome": ("win", "loss")}
"""Values of columns that take no text of one's own."""


def items(client: Client, path: str, **query: Any) -> list[Item]:  # noqa: ANN401
    """Return all items that a list has, over its pages."""
    found: list[Item] = []
    after: int | None = None
    while True:
        more = {} if after is None else {"after": after}
        answer = client.get(path, {**query, **more})
        assert answer.status_code == 200, (query, answer.content)
        page = answer.json()
        found += page["items"]
        after = page["next"]
        if after is None:
            return found


def check_filters(
    client: Client,
    path: str,
    query: type[PagedQuery],
    item: Item,
    key: str = "id",
    **always: object,
) -> set[str]:
    """Check that each filter finds the item by its value and not by another one; return the names
    of the filters for which the item has no value, and of those that the list itself applies."""
    untried = set[str]()
    names = query.model_fields.keys() - PagedQuery.model_fields.keys()
    for name in sorted(names - always.keys()):
        values = None if name in query.handled else _values(name, item)
        if values is None:
            untried.add(name)
            continue
        for value, is_found in values:
            keys = [each["id"] for each in items(client, path, **always, **{name: value})]
            assert (item["id"] in keys) == is_found, (name, value, keys)
    return untried


def _values(name: str, item: Item) -> list[tuple[object, bool]] | None:
    """Return values of a filter, and if the item passes with them; None if it has no value."""
    if name.startswith(("min_", "max_")):
        return _numbers(item.get(name[4:]), 1 if name.startswith("min_") else -1)
    if name.endswith(("_since", "_until")):
        column = name[:-6]
        return _times(item.get(f"{column}_at", item.get(column)), name.endswith("_since"))
    value = item.get(name)
    if value in (None, ""):
        return None
    wrong = [each for each in OTHERS.get(name, ()) if each != value]
    others: list[object] = [*wrong] if wrong else [_other(name, value)]
    return [(value, True), *((each, False) for each in others if each is not None)]


def _numbers(value: Any, sign: int) -> list[tuple[object, bool]] | None:  # noqa: ANN401
    if value is None:
        return None
    return [(value, True), (float(value) + sign, False), (float(value) - sign, True)]


def _times(value: str | None, is_since: bool) -> list[tuple[object, bool]] | None:
    if value is None:
        return None
    moment, later = datetime.fromisoformat(value), timedelta(seconds=1 if is_since else -1)
    return [
        (each.isoformat(), is_found)
        for each, is_found in ((moment, True), (moment + later, False), (moment - later, True))
    ]


def _other(name: str, value: object) -> object:
    """Return a value that the item has not; None if any other one would be refused."""
    if isinstance(value, int):
        return value + 1
    return None if name in ("leg", "status", "exit_reason", "type") else f"{value}x"


def plans_of(work: Callable[[], object], table: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each query of SQLite that reads the table, with the lines of its plan."""
    found: list[tuple[str, list[str]]] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: ANN401
        if f'FROM "{table}"' in sql and not many:
            raw = connection.connection.cursor()
            raw.execute(f"EXPLAIN QUERY PLAN {sql.replace('%s', '?')}", tuple(params or ()))
            found.append((sql, [row[3] for row in raw.fetchall()]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        work()
    yield from found


def check_plans(client: Client, path: str, query: type[PagedQuery], table: str) -> None:
    """Check that no filter makes SQLite sort, or leave the order of the table's key; nothing on
    another database."""
    if connection.vendor != "sqlite":
        return
    names = query.model_fields.keys() - PagedQuery.model_fields.keys() - query.handled
    for name in sorted(names):
        for sort in ("time", "-time"):
            asked = {name: _value(name), "sort": sort, "after": 5}
            plans = list(plans_of(partial(items, client, path, **asked), table))
            assert plans, name
            for sql, plan in plans:
                text = "; ".join(plan)
                assert "TEMP B-TREE" not in text, (name, sql, plan)
                of_table = [line for line in plan if line.split()[1] == table]
                assert of_table, plan
                assert all("PRIMARY KEY" in line for line in of_table), (name, plan)


def _value(name: str) -> object:
    if name.endswith(("_since", "_until")):
        return "2026-01-05T12:00:00Z"
    known = {
        "side": "BUY",
        "leg": "stop",
        "outcome": "win",
        "exit_reason": "stop",
        "symbol": "A",
        "type": "halt.set",
    }
    return known.get(name, 1)
