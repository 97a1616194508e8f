"""axe finds nothing serious on the pages that people use, in light and dark."""

from typing import Literal

import pytest

from tests.browser.accessibility import faults
from tests.browser.people import ADMIN
from tests.browser.visitors import Visitors

pytestmark = pytest.mark.slow
PAGES = (
    "/", "/admin/signals/signal/", "/signals/?id={}", "/report/", "/docs/dashboard/",
    "/running/", "/problems/", "/history/", "/limits/", "/profile/", "/preferences/",
)  # fmt: skip


SCHEDULE = "/admin/django_celery_beat/periodictask/add/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(visitors: Visitors, scheme: Literal["light", "dark"]) -> None:
    found = []
    with visitors.page(color_scheme=scheme) as page:
        page.goto("/admin/login/")
        found += faults(page)
    with visitors.page("trader", color_scheme=scheme) as page:
        for address in PAGES:
            page.goto(address.format(visitors.argo.lost_id))
            found += faults(page)
    with visitors.page(ADMIN, color_scheme=scheme) as page:
        page.goto(SCHEDULE)
        found += faults(page)
    assert found == []
