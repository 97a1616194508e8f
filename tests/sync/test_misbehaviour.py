"""Each way in which Alpine may misbehave with one signal: its row, its requests, and the others."""

from typing import NamedTuple

import pytest

from sync import breaker
from sync.alpine import AlpineSyncService
from sync.models import Delivery
from sync.worker import Deliverer
from tests.sync.alpine_server import (
    Alpine,
    Behave,
    accept,
    answer,
    cut_short,
    endless,
    endless_redirect,
    reset,
    running,
    silent,
    trickling_body,
    trickling_head,
)
from tests.sync.conftest import Clock, Log

pytestmark = pytest.mark.django_db(transaction=True)


class Row(NamedTuple):
    """The stored state of a delivery; `answer` is a part of the stored answer."""

    status: str
    last_status: int | None
    answer: str
    sent: int


OTHERS = 12
ENDLESS = {silent, trickling_head, trickling_body}
MISBEHAVIOUR: dict[str, tuple[list[Behave], Row]] = {
    "500": ([answer(500, b"broken")], Row("pending", 500, "broken", 4)),
    "500, then good": ([answer(500), accept], Row("delivered", 201, "stored", 2)),
    "503, come back in 3 s": ([answer(503, Retry_After="3")], Row("pending", 503, "503", 4)),
    "503, come back in an hour": (
        [answer(503, Retry_After="3600")],
        Row("pending", 503, "503", 1),
    ),
    "429": ([answer(429, b"slow down")], Row("pending", 429, "slow down", 4)),
    "408": ([answer(408)], Row("pending", 408, "408", 4)),
    "headers that do not come": ([silent], Row("pending", None, "timed out", 4)),
    "headers that come byte by byte": ([trickling_head], Row("pending", None, "no answer", 4)),
    "a body that comes byte by byte": ([trickling_body], Row("pending", None, "no answer", 4)),
    "a body that stops half way": ([cut_short], Row("pending", None, "no answer", 4)),
    "connection reset": ([reset], Row("pending", None, "no answer", 4)),
    "taken, but the answer is lost": (
        [reset, answer(409, b"there already")],
        Row("delivered", 409, "there already", 2),
    ),
    "409": ([answer(409, b"there already")], Row("delivered", 409, "there already", 1)),
    "400": ([answer(400, b"no such symbol")], Row("dead", 400, "no such symbol", 1)),
    "404": ([answer(404, b"nothing here")], Row("dead", 404, "nothing here", 1)),
    "a redirect": (
        [answer(307, Location="http://127.0.0.1:1/")],
        Row("pending", 307, "307", 4),
    ),
    "a redirect to no address": (
        [answer(302, Location="http://[::1/")],
        Row("pending", 302, "302", 4),
    ),
    "a redirect with an endless body": ([endless_redirect], Row("pending", 302, "302", 4)),
    "ten megabytes": ([endless], Row("delivered", 201, "xxxx", 1)),
    "garbage instead of JSON": ([answer(202, b"<\xff>")], Row("delivered", 202, "<", 1)),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_the_row_says_what_happened_and_the_other_signals_arrive(
    name: str, log: Log, deliverer: Deliverer, alpine: Alpine, monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour, wanted = MISBEHAVIOUR[name]
    if behaviour[0] in ENDLESS:
        monkeypatch.setattr("sync.http.ANSWER_TIMEOUT", 0.4)
    (bad, *others) = log(1 + OTHERS)

    def choose(signal_id: str, times: int) -> Behave:
        return accept if signal_id != bad else behaviour[min(times, len(behaviour)) - 1]

    alpine.choose = choose
    deliverer.run()

    row = Delivery.objects.get(signal__signal_id=bad)
    assert wanted.answer in row.last_answer
    assert Row(row.status, row.last_status, wanted.answer, alpine.times[bad]) == wanted
    assert (row.delivered_at is not None) == (row.status == "delivered")
    assert (row.payload != "") == (row.status == "dead")
    rest = Delivery.objects.filter(signal__signal_id__in=others)
    assert set(rest.values_list("status", "last_status")) == {("delivered", 201)}
    assert {alpine.times[each] for each in others} == {1}


@pytest.mark.parametrize("status", [401, 403])
def test_a_good_key_after_a_refused_one_sends_everything(
    status: int, log: Log, deliverer: Deliverer, alpine: Alpine, clock: Clock
) -> None:
    ids = log(OTHERS)
    alpine.always(answer(status, b"who are you?"))
    deliverer.run()
    assert set(Delivery.objects.values_list("status", "attempts")) == {("pending", 0)}
    refused = sum(alpine.times.values())
    assert refused <= deliverer.concurrency
    assert "who are you?" in breaker.ALPINE.state().reason
    alpine.always(accept)
    clock.pass_by(breaker.PROBE_WAITS[0] + 1)
    assert deliverer.run().delivered == OTHERS
    assert sum(alpine.times.values()) == refused + len(ids)


def test_without_alpine_everything_waits(log: Log, clock: Clock) -> None:
    with running() as gone:
        pass
    log(OTHERS)
    service = AlpineSyncService(gone.endpoint, "the key", sleep=clock.sleep)
    Deliverer(service, clock=clock).run()
    rows = Delivery.objects.values_list("status", "last_status")
    assert set(rows) == {("pending", None)}
    assert "refused" in breaker.ALPINE.state().reason
