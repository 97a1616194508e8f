"""One thread confirms for all callers of a process, and tries again until it has succeeded."""

import asyncio
import os
import threading
import time
from collections.abc import Callable

import pytest

from signals.ledger.durability.confirmer import Confirmer
from signals.ledger.durability.modes import InDatabase, NothingConfirmed, NotStoredYet

SOON = 30.0
"""Seconds until a test gives up on a slow machine."""


class Store:
    """A database that confirms while it is `open`, and fails with `error` if that is set."""

    def __init__(self) -> None:
        self.calls = 0
        self.open = threading.Event()
        self.open.set()
        self.error: Exception | None = None

    def __call__(self) -> bool:
        self.calls += 1
        assert self.open.wait(SOON)
        if self.error is not None:
            raise self.error
        return True


@pytest.fixture
def store() -> Store:
    return Store()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.django_db
def test_callers_that_come_during_a_commit_share_the_next_one(store: Store) -> None:
    confirmer = Confirmer(store)
    store.open.clear()
    waits = [threading.Thread(target=confirmer.wait, args=[SOON]) for _ in range(20)]
    waits[0].start()
    wait_until(lambda: store.calls == 1)
    for wait in waits[1:]:
        wait.start()
    wait_until(lambda: len(confirmer._waiting) == len(waits))
    store.open.set()
    for wait in waits:
        wait.join(SOON)

    assert store.calls == 2
    assert confirmer.failing_for() == 0.0


@pytest.mark.django_db
def test_a_coroutine_waits_without_a_thread_of_its_own(store: Store) -> None:
    confirmer = Confirmer(store)

    async def many() -> None:
        await asyncio.gather(*(confirmer.wait_async(SOON) for _ in range(50)))

    asyncio.run(many())
    assert store.calls < 50


@pytest.mark.django_db
def test_it_tries_again_though_nobody_waits_any_more(store: Store) -> None:
    confirmer = Confirmer(store)
    store.error = OSError("the server is away")
    with pytest.raises(TimeoutError):
        confirmer.wait(0.05)
    wait_until(lambda: confirmer.fault == "the server is away")
    assert confirmer.failing_for() > 0

    store.error = None
    wait_until(lambda: confirmer.failing_for() == 0.0)
    assert confirmer.fault == ""


@pytest.mark.django_db
def test_while_it_fails_callers_are_refused_before_anything_is_written(store: Store) -> None:
    store.error = OSError("the server is away")
    mode = InDatabase(Confirmer(store), wait=0.1, falls_back=False)
    mode.ensure()
    with pytest.raises(NotStoredYet, match=r"the server is away.*to send it again is safe"):
        mode.reach()
    wait_until(lambda: mode.confirmer.failing_for() > mode.wait)
    with pytest.raises(NothingConfirmed, match="the server is away"):
        mode.ensure()

    store.error = None
    wait_until(lambda: mode.confirmer.failing_for() == 0.0)
    mode.ensure()
    assert mode.reach() == "database"


@pytest.mark.django_db
def test_a_mode_that_falls_back_answers_local(store: Store) -> None:
    store.error = OSError("the server is away")
    mode = InDatabase(Confirmer(store), wait=0.05, falls_back=True)
    assert mode.reach() == "local"
    mode.ensure()
    with pytest.raises(NotStoredYet):
        mode.confirm()


@pytest.mark.django_db
def test_callers_that_have_given_up_are_forgotten_and_still_confirmed(store: Store) -> None:
    confirmer = Confirmer(store)
    store.open.clear()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await confirmer.wait_async(0.01)

    for _ in range(20):
        with pytest.raises(TimeoutError):
            confirmer.wait(0.0)
        asyncio.run(give_up())
    assert confirmer._waiting == set()
    assert confirmer.failing_for() > 0

    store.open.set()
    wait_until(lambda: confirmer.failing_for() == 0.0)
    assert store.calls == 2  # the second for those who came during the first


@pytest.mark.django_db
def test_a_forked_child_confirms_for_itself(store: Store) -> None:
    confirmer = Confirmer(store)
    confirmer.wait(SOON)
    child = os.fork()
    if child == 0:
        try:
            confirmer.wait(SOON)
        except BaseException:  # noqa: BLE001  # the parent reads the exit code
            os._exit(1)
        os._exit(0)

    assert os.waitpid(child, 0)[1] == 0
