"""Browse execution in the admin site; nothing can be edited."""

import pytest
from django.apps import apps
from django.test import Client

from execution.accounts import halts
from execution.decisions.queue import ask_for
from execution.models import Counterfactual, Decision
from signals.models import Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading, orders_of

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]
PAGES = ("decision", "order", "fill", "position", "halt", "counterfactual", "equityday",
         "tradingaccount")  # fmt: skip


@pytest.fixture
def won(trading: Trading) -> Signal:
    """A trade that won, a skipped signal, and a halt."""
    signal = trading.trade()
    trading.log(confidence=10.0)
    trading.decide()
    trading.move(110.0)
    halts.latch("paper", "by_hand", "the news", trading.clock(), by="me")
    return signal


def listed(client: Client, page: str, query: str = "") -> int:
    answer = client.get(f"/admin/execution/{page}/?{query}")
    assert answer.status_code == 200, query
    count: int = answer.context["cl"].result_count
    return count


def shown(client: Client, path: str) -> str:
    answer = client.get(f"/admin/{path}")
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return page


@pytest.mark.parametrize("page", PAGES)
def test_every_table_can_be_browsed(admin_client: Client, won: Signal, page: str) -> None:
    assert listed(admin_client, page) >= 1


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_added_edited_or_deleted(admin_client: Client, won: Signal, page: str) -> None:
    row = apps.get_model("execution", page)._default_manager.first()
    assert row is not None
    key = row.pk
    folder = f"/admin/execution/{page}"
    assert admin_client.get(f"{folder}/add/").status_code == 403
    assert admin_client.get(f"{folder}/{key}/delete/").status_code == 403
    answer = admin_client.get(f"{folder}/{key}/change/")
    assert answer.status_code == 200
    assert b'name="_save"' not in answer.content
    assert admin_client.post(f"{folder}/{key}/change/", {}).status_code == 403
    assert b"delete_selected" not in admin_client.get(f"{folder}/").content


def test_decisions_show_their_reasons_as_sentences(admin_client: Client, won: Signal) -> None:
    page = shown(admin_client, "execution/decision/?status__exact=skipped")
    assert "confidence 10 is below 75" in page
    skipped = Decision.objects.get(status="skipped")
    assert "confidence 10 is below 75" in shown(
        admin_client, f"execution/decision/{skipped.pk}/change/"
    )


def test_a_decision_shows_what_was_decided_before(admin_client: Client, trading: Trading) -> None:
    signal = trading.log(confidence=10.0)
    trading.decide()
    ask_for(signal.signal_id, "ann", trading.clock())
    paths = (f"execution/decision/{signal.pk}/change/", f"signals/signal/{signal.pk}/change/")
    for path in paths:
        assert "15:00:00, asked by nobody: <div>confidence 10" in shown(admin_client, path), path


def test_the_list_of_decisions_says_how_execution_stands(admin_client: Client, won: Signal) -> None:
    for page in ("decision", "halt"):
        assert "Trading on paper is halted: the news" in shown(admin_client, f"execution/{page}/")


@pytest.mark.parametrize(
    ("page", "query", "count"),
    [
        ("decision", "status__exact=executed", 1),
        ("decision", "reason=confidence", 1),
        ("decision", "reason=group", 0),
        ("decision", "account=paper", 2),
        ("decision", "account=replay", 0),
        ("decision", "q=aapl", 2),
        ("decision", "q=MSFT", 0),
        ("order", "state=open", 0),
        ("order", "state=filled", 2),
        ("order", "leg__exact=stop", 1),
        ("order", "side=BUY", 1),
        ("order", "q=AAPL", 3),
        ("fill", "refused__isempty=0", 0),
        ("fill", "refused__isempty=1", 2),
        ("fill", "order__leg__exact=entry", 1),
        ("fill", "q=AAPL", 2),
        ("position", "status__exact=closed", 1),
        ("position", "status__exact=open", 0),
        ("position", "outcome=win", 1),
        ("position", "outcome=loss", 0),
        ("position", "exit=target", 1),
        ("position", "exit=stop", 0),
        ("position", "profit=won", 1),
        ("position", "profit=lost", 0),
        ("position", "mfe=10", 1),
        ("position", "mae=1", 0),
        ("position", "mae=x", 1),
        ("position", "days=0-1", 1),
        ("position", "days=1-7", 0),
        ("position", "days=30-", 0),
        ("position", "q=IBM", 0),
        ("halt", "stands=yes", 1),
        ("halt", "stands=no", 0),
        ("counterfactual", "q=AAPL", 1),
    ],
)
def test_rows_are_filtered(
    admin_client: Client, won: Signal, page: str, query: str, count: int
) -> None:
    assert listed(admin_client, page, query) == count


@pytest.mark.parametrize("page", ["decision", "order", "fill", "position"])
def test_rows_are_found_by_their_signals_id(admin_client: Client, won: Signal, page: str) -> None:
    assert listed(admin_client, page, f"q={won.signal_id}") >= 1
    other = Decision.objects.select_related("signal").get(status="skipped").signal
    assert listed(admin_client, page, f"q={other.signal_id}") == (page == "decision")


def test_a_signals_page_shows_its_trade(admin_client: Client, won: Signal) -> None:
    page = shown(admin_client, f"signals/signal/{won.pk}/change/")
    assert "executed" in page
    for order in orders_of(won).values():
        assert f"/admin/execution/order/{order.pk}/change/" in page
    assert "SELL 100 AAPL: filled" in page
    assert "BUY 100 AAPL: closed" in page


def test_a_signal_that_was_not_traded_shows_what_would_have_come_of_it(
    admin_client: Client, won: Signal
) -> None:
    skipped = Decision.objects.get(status="skipped")
    page = shown(admin_client, f"signals/signal/{skipped.pk}/change/")
    assert "confidence 10 is below 75" in page
    assert str(Counterfactual.objects.get()) in page


def test_what_a_signal_has_not_shows_no_empty_form(admin_client: Client, trading: Trading) -> None:
    signal = trading.log(origin="import")
    page = shown(admin_client, f"signals/signal/{signal.pk}/change/")
    for name in ("decision", "position", "counterfactual", "orders", "delivery"):
        assert f'name="{name}-TOTAL_FORMS" value="0"' in page
    assert 'name="counterfactual-0-' not in page


def test_signals_are_filtered_by_their_decision_and_its_reasons(
    admin_client: Client, won: Signal
) -> None:
    def found(query: str) -> set[str]:
        rows = admin_client.get(f"/admin/signals/signal/?{query}").context["cl"].queryset
        return set(rows.values_list("signal_id", flat=True))

    skipped = Decision.objects.get(status="skipped").signal.signal_id
    assert found("decision=executed") == {won.signal_id}
    assert found("decision=skipped") == found("reason=confidence") == {skipped}
    assert found("reason=cooldown") == found("decision=none") == set()
    Decision.objects.filter(signal__signal_id=skipped).delete()
    assert found("decision=none") == {skipped}
