"""Events arrive, whatever a receiver does; none delays another, and each try has the same id."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django import Settings

from sync.models import Breaker, EventDelivery, Subscription
from sync.webhooks import keeping, retrying, subscriptions
from sync.webhooks.dispatcher import Dispatcher
from sync.webhooks.problems import problems
from tests.sync.alpine_server import answer, reset, silent
from tests.sync.conftest import Clock
from tests.sync.webhooks.conftest import Publish, Subscribe
from tests.sync.webhooks.inbox import Inbox, take

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[[], Dispatcher]


def statuses(subscription: Subscription | None = None) -> dict[str, int]:
    rows = EventDelivery.objects.filter(subscription=subscription or Subscription.objects.get())
    found = list(rows.values_list("status", flat=True))
    return {status: found.count(status) for status in set(found)}


def codes(clock: Clock) -> set[str]:
    return {problem.kind.code for problem in problems(clock())}


def test_every_subscription_gets_each_event_once(
    inboxes: list[Inbox], subscribe: Subscribe, publish: Publish, dispatcher: Make
) -> None:
    for number, inbox in enumerate(inboxes):
        subscribe(inbox, f"number {number}")
    publish(30)
    assert dispatcher().run().delivered == 90
    assert dispatcher().run().delivered == 0
    for inbox in inboxes:
        assert sorted(inbox.times.values()) == [1] * 30
    assert inboxes[0].times == inboxes[1].times


def test_a_retry_has_the_same_id_and_the_time_of_its_own_attempt(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock
) -> None:
    subscribe(inbox)
    publish(1)
    inbox.choose = lambda event_id, times: answer(500, b"broken") if times == 1 else take
    assert dispatcher().run().postponed == 1
    row = EventDelivery.objects.get()
    assert (row.last_status, row.last_answer) == (500, "500: broken")
    clock.pass_by(7)
    assert dispatcher().run().delivered == 1
    first, second = inbox.got
    assert first.event_id == second.event_id
    assert first.body == second.body
    times = [int(got.headers["webhook-timestamp"]) for got in inbox.got]
    assert times[1] - times[0] == 7
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 413, 422, 429, 500, 503])
def test_any_answer_but_2xx_and_410_is_tried_again(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, status: int
) -> None:
    subscribe(inbox)
    publish(1)
    inbox.always(answer(status))
    assert dispatcher().run().postponed == 1
    assert statuses() == {"pending": 1}


def test_attempts_that_are_used_up_leave_a_dead_event_that_can_be_sent_again(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock,
    settings: Settings,
) -> None:  # fmt: skip
    settings.SYNC_MAX_ATTEMPTS = 3
    subscribe(inbox)
    publish(1)
    inbox.always(answer(404))
    for _ in range(3):
        dispatcher().run()
        clock.pass_by(86_400)
    assert statuses() == {"dead": 1}
    assert "webhook.dead" in codes(clock)
    inbox.always(take)
    assert retrying.retry_dead(clock()) == 1
    assert dispatcher().run().delivered == 1
    assert len(inbox.times) == 1
    assert codes(clock) == set()


def test_410_ends_the_subscription_and_what_waits_is_kept(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock
) -> None:
    subscription = subscribe(inbox)
    publish(200)
    inbox.always(answer(410, b"no more"))
    assert dispatcher().run().released == dispatcher_claims()
    subscription.refresh_from_db()
    assert (subscription.state, "410: no more" in subscription.reason) == ("ended", True)
    assert statuses() == {"pending": 200}
    assert len(inbox.got) <= 4
    publish(1)
    dispatcher().run()
    assert statuses() == {"pending": 200}
    assert codes(clock) == {"webhook.ended"}
    inbox.always(take)
    subscriptions.enable(subscription, now=clock())
    assert dispatcher().run().delivered == 200
    assert codes(clock) == set()


def test_a_subscription_fails_while_an_event_has_waited_for_more_than_15_minutes(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock
) -> None:
    """The problem `webhook.failing`, as the manual defines it; nothing is tried meanwhile."""
    subscription = subscribe(inbox)
    publish(1)
    clock.pass_by(15 * 60)
    publish(1)
    assert codes(clock) == set()
    clock.pass_by(1)
    assert codes(clock) == {"webhook.failing"}
    oldest = str(EventDelivery.objects.order_by("id")[0].event_id)
    inbox.choose = lambda event_id, times: take if event_id == oldest else answer(503, b"away")
    assert dispatcher().run().delivered == 1
    assert codes(clock) == set(), "the other one has waited for a second"
    clock.pass_by(15 * 60)
    assert codes(clock) == {"webhook.failing"}
    (found,) = problems(clock())
    assert "has not taken its events for 901 s" in found.sentence
    subscriptions.revoke(subscription, "", now=clock())
    assert codes(clock) == set()


def dispatcher_claims() -> int:
    """Return how many events one claim takes: four for each of four threads."""
    return 16


def test_ten_thousand_events_of_a_dead_receiver_delay_no_other_one(
    inboxes: list[Inbox], subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock
) -> None:
    dead, living, _ = inboxes
    dead.always(reset)
    bad = subscribe(dead, "dead")
    publish(9_900)
    good = subscribe(living, "living")
    publish(100)
    counts = dispatcher().run()
    assert counts.delivered == 100
    assert statuses(good) == {"delivered": 100}
    assert statuses(bad) == {"pending": 10_000}
    assert len(dead.got) < 30  # then its breaker was open
    clock.pass_by(3600)
    assert dispatcher().run().delivered == 0
    assert "webhook.failing" in codes(clock)
    assert Breaker.objects.get(target=f"webhook:{bad.pk}").failures >= 5
    assert not Breaker.objects.filter(target="alpine").exists()
    dead.always(take)
    subscriptions.revoke(good, "", now=clock())
    EventDelivery.objects.filter(subscription=bad, pk__gt=500).delete()
    left = EventDelivery.objects.filter(subscription=bad).count()
    clock.pass_by(3600)
    assert dispatcher().run().delivered == left


def test_a_receiver_that_hangs_delays_no_other_one(
    inboxes: list[Inbox], subscribe: Subscribe, publish: Publish, settings: Settings
) -> None:
    hanging, living, _ = inboxes
    settings.WEBHOOK_TIMEOUT = 60.0
    asked, go = threading.Event(), threading.Event()

    def wait(handler: object) -> None:
        asked.set()
        go.wait(60)
        take(handler)  # type: ignore[arg-type]

    hanging.always(wait)
    subscribe(hanging, "hanging")
    publish(1)
    run = threading.Thread(target=Dispatcher().run)
    run.start()
    try:
        assert asked.wait(30)
        subscribe(living, "living")
        publish(3)
        ends = time.monotonic() + 30
        while len(living.got) < 3:
            assert time.monotonic() < ends
            time.sleep(0.01)
    finally:
        go.set()
        run.join(60)
    assert EventDelivery.objects.filter(status="delivered").count() == 7


def test_an_open_breaker_counts_no_attempt_and_closes_by_itself(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock
) -> None:
    subscribe(inbox)
    publish(50)
    inbox.always(answer(503))
    for _ in range(20):
        dispatcher().run()
        clock.pass_by(300)
    assert EventDelivery.objects.filter(attempts__gt=2).count() == 0
    inbox.always(take)
    assert dispatcher().run().delivered == 50
    assert Breaker.objects.get().probe_at is None


def test_revoking_stops_a_run_and_enabling_sends_what_waits(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock
) -> None:
    subscription = subscribe(inbox)
    publish(20)
    subscriptions.revoke(subscription, "moved", now=clock())
    assert dispatcher().run().delivered == 0
    subscriptions.enable(subscription, now=clock())
    assert dispatcher().run().delivered == 20


def test_a_dead_workers_events_are_sent_again_with_their_ids_after_the_lease(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock
) -> None:
    subscribe(inbox)
    publish(3)
    EventDelivery.objects.update(
        status="sending", claim="of the dead", attempts=1, due_at=clock() + timedelta(minutes=1)
    )
    assert dispatcher().run().delivered == 0
    clock.pass_by(61)
    assert dispatcher().run().delivered == 3


@pytest.mark.parametrize("changes", [
    {}, {"status": "sending", "claim": "x", "attempts": 1}, {"attempts": 3},
])  # fmt: skip
def test_events_that_a_clock_which_was_ahead_has_put_off_are_sent(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock,
    changes: dict[str, object],
) -> None:  # fmt: skip
    subscribe(inbox)
    publish(1)
    EventDelivery.objects.update(due_at=clock() + timedelta(days=5), **changes)
    assert dispatcher().run().delivered == 1


def test_a_stopped_run_leaves_the_rest_to_the_next_one(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, clock: Clock
) -> None:
    subscribe(inbox)
    publish(50)
    stop = threading.Event()

    def stop_and_take(handler: object) -> None:
        stop.set()
        take(handler)  # type: ignore[arg-type]

    inbox.always(stop_and_take)
    delivered = Dispatcher(stop=stop, clock=clock).run().delivered
    assert 1 <= delivered <= 4
    assert statuses() == {"delivered": delivered, "pending": 50 - delivered}


def test_replayed_events_have_their_ids(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock
) -> None:
    subscription = subscribe(inbox)
    publish(2)
    dispatcher().run()
    clock.pass_by(3600)
    since = clock()
    publish(3)
    dispatcher().run()
    assert retrying.replay(subscription, since, clock()) == 3
    assert dispatcher().run().delivered == 3
    assert sorted(inbox.times.values()) == [1, 1, 2, 2, 2]


def test_old_events_are_forgotten_and_those_that_nobody_took_are_said(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, clock: Clock,
    settings: Settings, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    subscribe(inbox)
    publish(2)
    dispatcher().run()
    publish(3)
    clock.pass_by(86_400 * settings.WEBHOOK_KEEP_DAYS + 1)
    publish(4)
    assert keeping.forget_old(clock()) == 5
    assert EventDelivery.objects.count() == 4
    assert "3 events were given up" in caplog.text


def test_a_test_event_is_sent_at_once_and_stored_nowhere(
    inbox: Inbox, subscribe: Subscribe, settings: Settings
) -> None:
    subscription = subscribe(inbox)
    assert retrying.send_test(subscription).accepted
    inbox.always(answer(401, b"who are you?"))
    tested = retrying.send_test(subscription)
    assert (tested.accepted, tested.status) == (False, 401)
    assert "who are you?" in tested.answer
    settings.WEBHOOK_TIMEOUT = 0.2
    inbox.always(silent)
    assert retrying.send_test(subscription).status is None
    assert not EventDelivery.objects.exists()


def test_a_receiver_inside_that_is_no_longer_allowed_gets_nothing(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, dispatcher: Make, settings: Settings
) -> None:
    subscribe(inbox)
    publish(1)
    settings.WEBHOOK_ALLOWED_HOSTS = ()
    dispatcher().run()
    assert inbox.got == []
    assert "WEBHOOK_ALLOWED_HOSTS" in EventDelivery.objects.get().last_answer
