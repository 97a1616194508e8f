"""Lists of the admin site: each row on one page, a bounded number of rows looked at."""

import html
import re

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from signals import keyset
from signals.admin.changelist import KeysetAdmin
from signals.config import flusher
from signals.ledger import scan
from signals.models import OutcomeChange, Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
LIST, CHANGES = "/admin/signals/signal/", "/admin/signals/outcomechange/"
COUNT, PER_PAGE, STRETCH = 10, 3, 2


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and stretches so short that a few rows fill several."""
    monkeypatch.setattr(KeysetAdmin, "list_per_page", PER_PAGE)
    for module in (keyset, scan):
        monkeypatch.setattr(module, "STRETCH", STRETCH)


@pytest.fixture
def stored(small: None) -> list[str]:
    """Return the ids of signals, newest first; every fifth is of a bear market."""
    tracker = SignalTracker("test")
    for number in range(COUNT):
        regime = "BEAR" if number % 5 == 0 else "BULL"
        tracker.log_signal(a_signal(timestamp=f"2025-01-{number + 1:02}T10:00:00Z", regime=regime))
    flusher().flush()
    return list(Signal.objects.order_by("-timestamp").values_list("signal_id", flat=True))


def walk(client: Client, address: str, row: str) -> tuple[list[list[str]], list[str]]:
    """Follow the links to older rows; return what `row` finds on each page, and their notes."""
    pages, notes = [], []
    while address:
        text = client.get(address).content.decode()
        pages.append(re.findall(row, text))
        found = re.search(r'<p class="paginator">(.*?)</p>', text, re.DOTALL)
        assert found
        notes.append(re.sub(r"<[^>]+>", "", found[1]).strip())
        older = re.search(r'rel="next" href="([^"]+)"', found[1])
        address = html.unescape(f"{address.partition('?')[0]}{older[1]}") if older else ""
    return pages, notes


def signals_of(client: Client, query: str) -> tuple[list[list[str]], list[str]]:
    return walk(client, f"{LIST}?{query}", r'field-signal_id"><a[^>]*>([^<]+)<')


def test_each_signal_is_on_one_page_newest_first(admin_client: Client, stored: list[str]) -> None:
    pages, notes = signals_of(admin_client, "")
    assert pages == [stored[start : start + PER_PAGE] for start in range(0, COUNT, PER_PAGE)]
    assert notes == [
        "Newest 3 of 10 signals Older",
        "3 older signals Older Newest",
        "3 older signals Older Newest",
        "1 older signals Newest",
    ]


def test_a_bounded_scan_says_where_it_ended_and_goes_on(
    admin_client: Client, stored: list[str]
) -> None:
    pages, notes = signals_of(admin_client, "regime=BEAR")
    assert [each for page in pages for each in page] == [stored[4], stored[9]]
    assert (
        notes[0] == f"Nothing found among the newest {scan.MAX_LOOKED_AT:,}. Go on with older ones"
    )
    assert len(pages) == COUNT // (STRETCH * scan.STRETCHES) + 1


def test_filters_of_signals_narrow_each_other(admin_client: Client, stored: list[str]) -> None:
    for query, expected in {
        "since=2025-01-04&until=2025-01-06": stored[4:7],
        "since=2025-01-04&until=2025-01-06&regime=BEAR": [stored[4]],
        "in=2025": stored,
        "in=2025-01": stored,
        "in=2025-01-04": stored[6:7],
        "in=2024": [],
        "in=2025-02-29": stored,  # no day selects nothing less
        "in=2025&until=2025-01-02": stored[8:],
        "in=2025-01-04&since=2025-01-05": [],
        "symbol=AAPL&q=MSFT": [],
        "symbol=AAPL&q=aapl&until=2025-01-02": stored[8:],
        f"q={stored[3]}&regime=BEAR": [],
        f"q={stored[3]}&regime=BULL": [stored[3]],
    }.items():
        found = [each for page in signals_of(admin_client, query)[0] for each in page]
        assert found == expected, query


def test_years_and_then_months_are_offered_and_keep_the_other_filters(
    admin_client: Client, stored: list[str]
) -> None:
    text = admin_client.get(f"{LIST}?symbol=AAPL&since=2025-01-05").content.decode()
    assert '<a href="?in=2025&amp;symbol=AAPL">2025</a>' in text
    assert "in=2025-01" not in text
    text = admin_client.get(f"{LIST}?symbol=AAPL&in=2025").content.decode()
    assert '<a href="?in=2025&amp;symbol=AAPL" aria-current="true">2025</a>' in text
    assert '<a href="?in=2025-12&amp;symbol=AAPL">2025-12</a>' in text
    assert "Time: 2025" in text


def test_a_list_without_signals_offers_no_years(admin_client: Client) -> None:
    assert 'class="parts"' not in admin_client.get(LIST).content.decode()


def test_another_filter_begins_with_the_newest_row(admin_client: Client, stored: list[str]) -> None:
    first = admin_client.get(f"{LIST}?symbol=AAPL").context["cl"]
    text = admin_client.get(f"{LIST}{first.older_url}").content.decode()
    assert "after=" in first.older_url
    assert 'href="?regime=BEAR&amp;symbol=AAPL"' in text
    assert 'name="after"' not in text


def test_rows_by_their_key_are_searched_in_stretches(
    admin_client: Client, stored: list[str]
) -> None:
    form = {
        "action": "set_outcomes",
        "_selected_action": [*Signal.objects.values_list("pk", flat=True)],
    }
    page = admin_client.post(LIST, form | {"step": "preview", "exit_price": "160", "why": "x"})
    tags = {f"etag_{row.signal.pk}": row.now.etag for row in page.context["rows"]}
    admin_client.post(LIST, form | tags | {"step": "record", "exit_price": "160", "why": "x"})
    assert OutcomeChange.objects.count() == COUNT
    cell = r'field-about">.*?id=(\w+)'
    pages, notes = walk(admin_client, CHANGES, cell)
    assert sorted(each for page in pages for each in page) == sorted(stored)
    assert notes[0] == "Newest 3 of at most 10 outcome changes Older"
    pages, notes = walk(admin_client, f"{CHANGES}?q=MSFT", cell)
    assert not any(pages)
    assert notes[0] == "Nothing found among the newest 2. Go on with older ones"
    assert walk(admin_client, f"{CHANGES}?q={stored[5]}", cell)[0] == [[stored[5]]]


@pytest.mark.parametrize("path", [LIST, CHANGES])
@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "%00", "AAAA"])
def test_a_place_that_no_link_has_leads_to_the_list(
    admin_client: Client, path: str, after: str
) -> None:
    answer = admin_client.get(f"{path}?after={after}", follow=True)
    assert answer.redirect_chain == [(f"{path}?e=1", 302)]
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "query", ["entry_price__gt=1", "strategy__contains=a", "context__regime=BEAR", "id__in=1,2"]
)
def test_only_what_a_filter_selects_by_is_looked_up(admin_client: Client, query: str) -> None:
    assert admin_client.get(f"{LIST}?{query}").status_code == 400


def test_no_address_makes_a_list_count_or_sort(admin_client: Client, stored: list[str]) -> None:
    plain = signals_of(admin_client, "")[0][0]
    for query in ("o=1", "o=-5.3", "all=", "p=2", "_facets=True"):
        assert signals_of(admin_client, query)[0][0] == plain, query


def test_who_may_only_look_may_verify_and_export(client: Client) -> None:
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_signal"))
    client.force_login(user)
    page = client.get(LIST).content.decode()
    assert set(re.findall(r'<option value="(\w+)"', page)) == {
        "verify", "export_csv", "export_jsonl", "export_parquet",
    }  # fmt: skip


def test_all_that_pass_are_exported_as_the_list_shows_them(
    admin_client: Client, stored: list[str]
) -> None:
    for query, expected in {
        "regime=BEAR&since=2025-01-02": [stored[4]],
        "q=aapl&until=2025-01-02&confidence=low": stored[:-3:-1],
        "": stored[::-1],
    }.items():
        page = admin_client.get(f"{LIST}?{query}").content.decode()
        link = re.search(r'href="(/api/analysis/signals\?format=jsonl[^"]*)"', page)
        assert link
        answer = admin_client.get(html.unescape(link[1]))
        lines = answer.getvalue().splitlines()
        assert [orjson.loads(line)["signal_id"] for line in lines] == expected, query
    for query in ("delivery=dead", "decision=none", "symbol=AAPL&q=MSFT"):
        assert "Export all" not in admin_client.get(f"{LIST}?{query}").content.decode()
