"""Every page of the navigation: no fault in the console, a content policy, hostile text as text."""

from collections.abc import Sequence

import pytest

from tests import hostile
from tests.browser.crawl import Visit, crawl
from tests.browser.people import ADMIN
from tests.browser.visitors import Visitors

pytestmark = pytest.mark.slow
OTHERS = (
    "/signals/?id={}", "/report/signal/?id={}", "/docs/", "/docs/settings/", "/api/docs",
    "/admin/execution/halt/halt/", "/admin/auth/user/add/", "/admin/password_change/",
    "/admin/django_celery_beat/periodictask/add/",
)  # fmt: skip


@pytest.fixture(scope="module")
def visits(visitors: Visitors) -> Sequence[Visit]:
    """Visit all pages as the first user; the browser itself must find no fault with any."""
    others = [address.format(visitors.argo.hostile_id) for address in OTHERS]
    with visitors.page(ADMIN) as page:
        return list(crawl(page, others))


def test_every_page_is_answered_and_none_breaks_its_policy(visits: Sequence[Visit]) -> None:
    assert len(visits) > 60
    assert [each for each in visits if each.status != 200] == []


def test_hostile_text_is_text_on_every_page_and_each_field_is_shown_on_one(
    visits: Sequence[Visit],
) -> None:
    assert [each for each in visits if each.spoiled] == []
    shown = frozenset.union(*(each.shown for each in visits))
    assert set(hostile.FIELDS) - shown == set()


def test_no_page_is_wider_than_a_laptop(visits: Sequence[Visit]) -> None:
    assert [each for each in visits if each.too_wide] == []
