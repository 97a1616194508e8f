"""Actions of the admin site: each asks for a reason first and keeps it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from execution import factory
from execution.accounts import halts
from execution.brokers.protocol import BrokerError
from execution.models import Counterfactual, Decision, Halt, Order
from signals.models import Act
from tests.execution.trading_fixtures import Trading, orders_of, position_of, states_of

pytestmark = pytest.mark.django_db
HALTS, ORDERS, POSITIONS = (f"/admin/execution/{name}/" for name in ("halt", "order", "position"))
ACTS = [(HALTS, "lift"), (ORDERS, "cancel"), (POSITIONS, "close")]


@pytest.fixture(autouse=True)
def own_desk(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "trading_context", lambda: trading.context)


def act(client: Client, page: str, action: str, *keys: int, **more: str) -> str:
    """Return the messages of the page after the action."""
    chosen = {"action": action, "_selected_action": [str(key) for key in keys], **more}
    answer = client.post(page, chosen, follow=True)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def confirm(client: Client, page: str, action: str, *keys: int, why: str = "I say so") -> str:
    return act(client, page, action, *keys, confirmed="yes", why=why)


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    for name in permissions:
        user.user_permissions.add(Permission.objects.get(codename=name))
    client = Client()
    client.force_login(user)
    return client


def test_each_action_asks_for_the_reason_first(admin_client: Client, trading: Trading) -> None:
    halt = halts.latch("paper", "by_hand", "the news", trading.clock())
    halts.lift("paper", by="me", why="x", now=trading.clock())
    halt = halts.latch("paper", "by_hand", "other news", trading.clock())
    page = act(admin_client, HALTS, "lift", halt.pk)
    assert "Lift these halts?" in page
    assert "paper: by_hand (other news)" in page
    assert 'name="why"' in page
    assert halts.active("paper") == [halt]
    page = confirm(admin_client, HALTS, "lift", halt.pk, why=" ")
    assert "This field is required" in page
    assert halts.active("paper") == [halt]


def test_a_halt_is_lifted_by_the_users_name(admin_client: Client, trading: Trading) -> None:
    halt = halts.latch("paper", "by_hand", "the news", trading.clock())
    other = halts.latch("paper", "drawdown", "lost", trading.clock())
    assert "Lifted: the news" in confirm(admin_client, HALTS, "lift", halt.pk, why="it is over")
    halt.refresh_from_db()
    assert (halt.lifted_by, halt.lifted_why) == ("admin:admin", "it is over")
    assert halts.active("paper") == [other]
    again = halts.latch("paper", "by_hand", "the crash", trading.clock())
    assert "is already lifted: the news" in confirm(admin_client, HALTS, "lift", halt.pk)
    assert again in halts.active("paper")


def test_a_halt_is_lifted_from_its_own_row(admin_client: Client, trading: Trading) -> None:
    halt = halts.latch("paper", "by_hand", "the news", trading.clock())
    lifting = f"{HALTS}{halt.pk}/lift/"
    assert f'<a href="{lifting}">Lift…</a>' in admin_client.get(HALTS).content.decode()
    assert "by_hand (the news)" in admin_client.get(lifting).content.decode()
    assert "This field is required" in act(admin_client, lifting, "", confirmed="yes", why=" ")
    assert halts.active("paper") == [halt]
    other = halts.latch("paper", "drawdown", "lost", trading.clock())
    text = act(admin_client, lifting, "", confirmed="yes", why="it is over")
    assert "Lifted: the news" in text
    assert lifting not in text
    assert halts.active("paper") == [other]
    assert Halt.objects.get(pk=halt.pk).lifted_why == "it is over"
    assert "is already lifted" in act(admin_client, lifting, "", confirmed="yes", why="again")


@pytest.mark.parametrize("key", [0, 10**30])
def test_no_halt_is_lifted_that_does_not_exist(admin_client: Client, key: int) -> None:
    assert admin_client.get(f"{HALTS}{key}/lift/").status_code == 404


def test_trading_is_halted_with_a_reason(admin_client: Client) -> None:
    assert "Halt trading?" in admin_client.get(f"{HALTS}halt/").content.decode()
    assert f"{HALTS}halt/" in admin_client.get(HALTS).content.decode()
    admin_client.post(f"{HALTS}halt/", {"confirmed": "yes", "why": ""})
    assert not Halt.objects.exists()
    admin_client.post(f"{HALTS}halt/", {"confirmed": "yes", "why": "the news"})
    halt = Halt.objects.get()
    assert (halt.account, halt.code, halt.reason) == ("paper", "by_hand", "the news")
    assert halt.latched_by == "admin:admin"


def test_a_position_is_closed_at_the_monitors_next_look(
    admin_client: Client, trading: Trading
) -> None:
    signal = trading.trade()
    assert "The monitor closes it" in confirm(admin_client, POSITIONS, "close", signal.pk)
    assert position_of(signal).closing_for == "manual"
    trading.look()
    trading.move(101.0)
    position = position_of(signal)
    assert (position.status, position.exit_reason) == ("closed", "manual")
    assert str(LogEntry.objects.get().change_message) == "Asked to close: I say so"


def test_what_cannot_be_closed_is_told(admin_client: Client, trading: Trading) -> None:
    signal = trading.trade()
    confirm(admin_client, POSITIONS, "close", signal.pk)
    assert "already being closed" in confirm(admin_client, POSITIONS, "close", signal.pk)
    trading.look()
    trading.move(101.0)
    assert "it is already closed" in confirm(admin_client, POSITIONS, "close", signal.pk)
    assert LogEntry.objects.count() == 1


def test_a_replays_position_is_nobodys_to_close(admin_client: Client, trading: Trading) -> None:
    signal = trading.trade()
    position = position_of(signal)
    position.account = "replay"
    position.save()
    page = confirm(admin_client, POSITIONS, "close", signal.pk)
    assert "is on the account replay" in page
    assert position_of(signal).closing_for == ""


def test_an_entry_is_canceled_at_the_broker(admin_client: Client, trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    entry = orders_of(signal)["entry"]
    assert "canceled" in confirm(admin_client, ORDERS, "cancel", entry.pk, why="too dear")
    assert set(states_of(signal).values()) == {"canceled"}
    assert trading.broker.open_orders() == []
    assert orders_of(signal)["entry"].reason == "admin:admin cancels it: too dear"
    assert Counterfactual.objects.filter(signal=signal).exists()
    trading.move(101.0)
    assert not trading.broker.positions()
    assert "only an order that is at the broker can be canceled" in confirm(
        admin_client, ORDERS, "cancel", entry.pk
    )


def test_an_exit_is_not_canceled(admin_client: Client, trading: Trading) -> None:
    """A position is never left without its stop."""
    signal = trading.trade()
    stop = orders_of(signal)["stop"]
    assert "Close the position instead" in confirm(admin_client, ORDERS, "cancel", stop.pk)
    assert states_of(signal)["stop"] == "accepted"
    assert "cancel" not in trading.broker.calls


def test_a_broker_that_fails_is_told(admin_client: Client, trading: Trading) -> None:
    signal = trading.log()
    trading.decide()
    trading.broker.before["cancel"] = BrokerError("connection refused", permanent=False)
    entry = orders_of(signal)["entry"]
    assert "Connection refused" in confirm(admin_client, ORDERS, "cancel", entry.pk)
    entry = orders_of(signal)["entry"]
    assert (entry.state, entry.reason) == ("accepted", "")


@pytest.mark.parametrize(("page", "action"), ACTS)
def test_a_reason_that_cannot_be_kept_is_refused(
    admin_client: Client, trading: Trading, page: str, action: str
) -> None:
    signal = trading.trade()
    halt = halts.latch("paper", "by_hand", "the news", trading.clock())
    key = {HALTS: halt.pk, ORDERS: orders_of(signal)["entry"].pk, POSITIONS: signal.pk}[page]
    text = confirm(admin_client, page, action, key, why="a\0b")
    assert "Null characters are not allowed" in text
    assert halts.active("paper") == [halt]
    assert position_of(signal).closing_for == ""


@pytest.mark.parametrize(("page", "action"), ACTS)
def test_who_may_only_look_does_nothing(trading: Trading, page: str, action: str) -> None:
    signal = trading.trade()
    halt = halts.latch("paper", "by_hand", "the news", trading.clock())
    name = page.split("/")[-2]
    key = {"halt": halt.pk, "order": Order.objects.all()[0].pk, "position": signal.pk}[name]
    looker = staff(f"view_{name}")
    assert looker.get(page).status_code == 200
    confirm(looker, page, action, key)
    assert looker.get(f"{HALTS}halt/").status_code == 403
    lifting = f"{HALTS}{halt.pk}/lift/"
    assert looker.post(lifting, {"confirmed": "yes", "why": "x"}).status_code == 403
    assert lifting not in looker.get(page).content.decode()
    assert halts.active("paper") == [halt]
    assert position_of(signal).closing_for == ""
    assert "cancel" not in trading.broker.calls


def test_who_may_change_halts_lifts_them(trading: Trading) -> None:
    halt = halts.latch("paper", "by_hand", "the news", trading.clock())
    client = staff("change_halt")
    confirm(client, HALTS, "lift", halt.pk)
    assert halts.active("paper") == []
    assert client.get(f"{HALTS}halt/").status_code == 200
    assert client.get(POSITIONS).status_code == 403


def test_a_signal_is_executed_by_the_users_name(
    admin_client: Client, trading: Trading, settings: Settings
) -> None:
    settings.TRADING_ACCOUNT = "paper"
    done, signal = trading.trade(), trading.log()
    page = confirm(admin_client, "/admin/signals/signal/", "execute", signal.pk, done.pk)
    assert "A worker decides on it within seconds" in page
    assert f"Signal {done.signal_id} is already executed" in page
    decision = Decision.objects.get(pk=signal.pk)
    assert (decision.status, decision.asked_by) == ("pending", "admin:admin")
    (entry,) = LogEntry.objects.all()
    assert (entry.object_id, entry.change_message) == (str(signal.pk), "Asked to execute: I say so")
    asked = Act.objects.get(kind="execute")
    assert (asked.signal_id, asked.why) == (signal.signal_id, "I say so")


def test_a_skipped_signal_is_executed_from_its_decision(
    admin_client: Client, trading: Trading
) -> None:
    skipped = trading.log(confidence=10.0)
    trading.decide()
    page = "/admin/execution/decision/"
    assert "Execute these signals?" in act(admin_client, page, "execute", skipped.pk)
    confirm(admin_client, page, "execute", skipped.pk)
    decision = Decision.objects.get()
    assert (decision.asked_by, len(decision.earlier)) == ("admin:admin", 1)


def test_executing_needs_the_permission_to_trade(trading: Trading) -> None:
    signal = trading.log()
    editor = staff("view_signal", "change_signal")
    assert 'value="execute"' not in editor.get("/admin/signals/signal/").content.decode()
    confirm(editor, "/admin/signals/signal/", "execute", signal.pk)
    assert not Decision.objects.filter(asked_by__gt="").exists()
