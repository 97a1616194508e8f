"""Pages of rows by primary key: each row once, and a bounded number of rows looked at."""

import pytest
from django.db.models import QuerySet

from signals import keyset
from signals.clock import utc_now
from signals.keyset import Page, by_index, indexed_page, scanned_page
from signals.models import ApiKey

pytestmark = pytest.mark.django_db
COUNT = 10


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> list[ApiKey]:
    monkeypatch.setattr(keyset, "STRETCH", 3)
    made = [
        ApiKey(
            name=name, sha256=f"{number}", prefix="a", created_at=utc_now(), can_write=number > 4
        )
        for number, name in enumerate("abacaaaaab")
    ]
    return ApiKey.objects.bulk_create(made)


def _named(name: str) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(name=name)


def _numbers(page: Page[ApiKey]) -> list[int]:
    return [int(row.sha256) for row in page.rows]


def _all(limit: int, chosen: QuerySet[ApiKey], among: QuerySet[ApiKey] | None) -> list[list[int]]:
    parts: list[list[int]] = []
    after: int | None = None
    while not parts or after is not None:
        found = scanned_page(chosen, limit, after, among)
        parts.append(_numbers(found))
        after = found.following
    return parts


def test_a_page_looks_at_a_stretch_and_says_where_to_go_on() -> None:
    assert _all(2, _named("c"), None) == [[], [], [3], []]
    assert _all(2, _named("b"), None) == [[9], [], [1], []]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_every_row_that_passes_is_on_one_page(name: str, limit: int) -> None:
    expected = [int(row.sha256) for row in _named(name).order_by("-pk")]
    found = _all(limit, _named(name), None)
    assert [number for part in found for number in part] == expected


def test_rows_among_others_are_looked_at_alone() -> None:
    among = ApiKey.objects.filter(can_write=True)
    assert _all(2, among.filter(name="b"), among) == [[9], []]


@pytest.mark.parametrize("is_few", [False, True])
def test_an_indexed_page_is_full_until_the_last(is_few: bool) -> None:
    chosen = by_index(_named("a")) if is_few else _named("a")
    first = indexed_page(chosen, 5, None)
    assert _numbers(first) == [8, 7, 6, 5, 4]
    second = indexed_page(chosen, 5, first.following)
    assert (_numbers(second), second.following) == ([2, 0], None)
