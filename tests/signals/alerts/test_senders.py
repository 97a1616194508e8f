"""Senders: made, listed, changed and revoked; a bad mapping is refused with every fault."""

import json
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from argo.errors import Conflict, InvalidInput
from signals.alerts import senders
from signals.alerts.mapping import presets
from signals.models import Act, Alert, Sender, Signal
from tests.signals.alerts.conftest import ALERT, Hook, work

pytestmark = pytest.mark.django_db


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("sender", *arguments, stdout=out)
    return out.getvalue()


def test_a_sender_is_made_with_its_address_and_the_text_to_paste() -> None:
    made = json.loads(command("--create", "tv", "--preset", "tradingview", "--json"))
    token = made["url"].rpartition("/hooks/")[2]
    assert len(token) == 43  # 32 bytes
    assert "{{strategy.order.action}}" in made["text"]
    sender = Sender.objects.get()
    assert token not in json.dumps(list(Sender.objects.values()), default=str)
    assert len(sender.token_sha256) == 64
    answer = Client().post(f"/hooks/{token}", json.dumps(ALERT), content_type="text/plain")
    assert answer.status_code == 202
    assert "cannot be shown again" in command("--create", "mt", "--preset", "metatrader")
    assert [each.about for each in Act.objects.all()] == ["sender tv", "sender mt"]
    assert token not in str(list(Act.objects.values()))


def test_senders_are_listed_and_revoked(hook: Hook) -> None:
    hook.send(ALERT)
    work()
    table = command("--list")
    assert table.splitlines()[1].startswith("tv")
    assert hook.token not in table
    assert command("--revoke", "tv").strip() == "The sender tv is revoked."
    senders.forget()
    assert hook.send(ALERT)[0] == 404
    with pytest.raises(CommandError) as raised:
        command("--revoke", "tv")
    assert raised.value.returncode == 2


def test_an_alert_is_tried_and_nothing_is_stored(hook: Hook, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(json.dumps(ALERT))
    bad.write_text("buy AAPL")
    told = command("--test", str(good), "--sender", "tv")
    assert "BUY AAPL at 150.5, target 159.53, stop 145.98" in told
    with pytest.raises(CommandError) as raised:
        command("--test", str(bad), "--preset", "plain")
    assert raised.value.returncode == 1
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("sender", "--test", str(bad), "--preset", "plain", "--json", stdout=out)
    assert json.loads(out.getvalue())["faults"] == [{"field": "price", "message": "is missing"}]
    work()
    assert not Alert.objects.exists()
    assert not Signal.objects.exists()


@pytest.mark.parametrize("arguments", [["--create", "x"], ["--test", "/nowhere"],
                                       ["--test", "-", "--sender", "nobody"]])  # fmt: skip
def test_wrong_usage_of_the_command_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as raised:
        command(*arguments)
    assert raised.value.returncode == 2


def test_every_preset_is_valid_and_has_a_text_to_paste() -> None:
    for name in presets():
        sender, _ = senders.create_sender(f"of {name}", name, who="a test")
        assert senders.paste_of(sender)


def test_a_bad_mapping_is_refused_with_every_fault() -> None:
    mapping: dict[str, Any] = {
        "fields": {
            "symbol": ["$.a..b", "$.password", "/(a)(b)/", "/a(/"], "prize": ["$.a"], "price": [],
        },
        "words": {"go": "UP"}, "target": "5", "stop": "2ATR", "time_zone": "Mars",
        "split": ["nothing"], "other": 1,
    }  # fmt: skip
    with pytest.raises(InvalidInput) as raised:
        senders.create_sender(
            " x", "tradingview", who="a test", mapping=mapping, symbols={"A": ""}, confidence=101.0,
            dedup_window=float("nan"), max_lag=-1.0,
        )  # fmt: skip
    faults = {fault.field for fault in raised.value.errors}
    assert faults >= {
        "mapping.fields.symbol.0", "mapping.fields.symbol.1", "mapping.fields.symbol.2",
        "mapping.fields.symbol.3", "mapping.fields.price", "mapping.words.go", "mapping.target",
        "mapping.time_zone", "mapping.split.0", "mapping.other", "symbols.A", "confidence",
        "dedup_window", "max_lag",
    }  # fmt: skip
    assert not any("stop" in each for each in faults)
    assert not Sender.objects.exists()


def test_an_unknown_preset_is_refused_and_a_name_is_taken_once(hook: Hook) -> None:
    with pytest.raises(InvalidInput, match="tradingview"):
        senders.create_sender("x", "nothing", who="a test")
    with pytest.raises(Conflict, match="another name"):
        senders.create_sender("tv", "plain", who="a test")


def test_the_senders_own_symbols_come_before_argos(hook: Hook) -> None:
    hook.change(symbols={"gold": "XAUUSD", "NAS100": "NQ1!"})
    assert hook.send(ALERT | {"symbol": "GOLD"})[0] == 202
    work()
    assert Signal.objects.get().symbol == "XAU-USD"


def test_a_regular_expression_that_would_run_for_ever_elsewhere_takes_linear_time(
    hook: Hook,
) -> None:
    hook.change(mapping={"fields": {"price": ["/^(?:(?:a+)+)+$/", "$.price"]}})
    body = json.dumps(ALERT | {"reasoning": "a" * 60_000})
    assert hook.send(body)[0] in (202, 422)
    hook.change(preset="plain", mapping={"fields": {"price": ["/((?:a|aa)+)+$/"]}})
    assert hook.send("buy AAPL " + "a" * 60_000 + "!")[0] == 422


def test_an_old_alert_and_one_from_the_future_are_refused(hook: Hook) -> None:
    hook.change(max_lag=30)
    status, answer = hook.send(ALERT | {"time": "2026-01-05T14:30:00Z"})
    assert (status, answer["errors"][0]["field"]) == (422, "time")
    assert "the sender's limit is 30 s" in answer["detail"]
    for name in ("time", "bar_time"):
        status, answer = hook.send(ALERT | {name: "2099-01-05T14:30:00Z"})
        assert status == 422
        assert "ahead of the clock" in answer["detail"]


def test_a_client_certificate_is_believed_only_of_a_trusted_proxy(
    hook: Hook, settings: Settings
) -> None:
    hook.change(needs_certificate=True)
    subject = {"HTTP_X_CLIENT_CERTIFICATE_SUBJECT": "CN=TradingView Webhooks,O=TradingView"}
    assert hook.send(ALERT)[0] == 403
    assert hook.send(ALERT, **subject)[0] == 403, "anybody can send the header"
    settings.TRUSTED_PROXIES = (ip_network("127.0.0.0/8"),)
    assert hook.send(ALERT, **subject)[0] == 202
    for other in ("CN=TradingView Webhooks Inc", "O=CN=TradingView Webhooks", "",
                  "CN=a,CN=TradingView Webhooks", "CN=TradingView Webhooks\\,x"):  # fmt: skip
        assert hook.send(ALERT, HTTP_X_CLIENT_CERTIFICATE_SUBJECT=other)[0] == 403, other
