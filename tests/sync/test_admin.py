"""Deliveries in the admin site."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from signals.clock import utc_now
from signals.tracker import SignalTracker
from sync.models import Breaker, Delivery
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/sync/delivery/"


@pytest.fixture
def delivery(tracker: SignalTracker) -> Delivery:
    tracker.log_signal(a_signal())
    Delivery.objects.update(
        status="dead",
        attempts=3,
        last_status=422,
        last_answer="no symbol",
        attempted_at=utc_now(),
    )
    return Delivery.objects.get()


def test_pages_of_a_delivery_and_of_its_signal_show_its_state(
    admin_client: Client, delivery: Delivery
) -> None:
    signal = f"/admin/signals/signal/{delivery.pk}/change/"
    for page in (LIST, f"{LIST}{delivery.pk}/change/", signal):
        assert "no symbol" in admin_client.get(page).content.decode()


def test_signals_are_filtered_by_their_delivery(admin_client: Client, delivery: Delivery) -> None:
    shown = {
        status: admin_client.get(f"/admin/signals/signal/?delivery={status}")
        .context["cl"]
        .result_count
        for status in ("dead", "delivered", "none")
    }
    assert shown == {"dead": 1, "delivered": 0, "none": 0}
    Delivery.objects.all().delete()
    page = admin_client.get("/admin/signals/signal/?delivery=none")
    assert page.context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status__exact=dead", True),
        ("status__exact=pending", False),
        ("older=60", False),
        ("error=4", True),
        ("error=5", False),
        ("error=none", False),
    ],
)
def test_deliveries_are_filtered(
    admin_client: Client, delivery: Delivery, query: str, shown: bool
) -> None:
    page = admin_client.get(f"{LIST}?{query}").content.decode()
    assert ("no symbol" in page) == shown


def test_the_list_shows_the_state_of_sync(
    admin_client: Client, delivery: Delivery, settings: Settings
) -> None:
    settings.ALPINE_API_KEY = "key"
    Breaker.objects.create(pk=1, probe_at=utc_now(), failures=5, reason="no answer: refused")
    page = admin_client.get(LIST).content.decode()
    assert "0 pending, 0 delivered, 1 dead" in page
    assert "no answer: refused" in page


def test_dead_ones_are_sent_again(admin_client: Client, delivery: Delivery) -> None:
    admin_client.post(LIST, {"action": "send_again", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 0)


@pytest.mark.parametrize(("permission", "seen", "status"), [
    (None, 403, "dead"), ("view_delivery", 200, "dead"), ("change_delivery", 200, "pending"),
])  # fmt: skip
def test_sending_again_needs_the_permission(
    client: Client, delivery: Delivery, permission: str | None, seen: int, status: str
) -> None:
    user = User.objects.create_user("staff", is_staff=True)
    if permission:
        user.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(user)
    assert client.get(LIST).status_code == seen
    client.post(LIST, {"action": "send_again", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.status == status


def test_a_delivery_is_sent_again_from_its_signal(admin_client: Client, delivery: Delivery) -> None:
    chosen = {"action": "send_again", "_selected_action": [delivery.pk]}
    page = admin_client.post("/admin/signals/signal/", chosen, follow=True).content.decode()
    assert "1 deliveries queued again" in page
    delivery.refresh_from_db()
    assert delivery.status == "pending"
    assert str(LogEntry.objects.get().change_message) == "Sent again"
    page = admin_client.post("/admin/signals/signal/", chosen, follow=True).content.decode()
    assert "0 deliveries queued again" in page
