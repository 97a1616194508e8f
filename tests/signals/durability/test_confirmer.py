"""One thread confirms for all callers of a process, and tries again until it has succeeded."""

import asyncio
import os
import threading
import time
from collections.abc import Callable

import pytest

from signals.journal import Journal, Offset
from signals.ledger.durability.confirmer import Confirmer
from signals.ledger.durability.modes import InDatabase, NothingConfirmed, NotStoredYet

SOON = 30.0
"""Seconds until a test gives up on a slow machine."""


class Store:
    """A database that confirms while it is `open`, and fails with `error` if that is set."""

    def __init__(self) -> None:
        self.calls: list[Offset] = []
        self.open = threading.Event()
        self.open.set()
        self.error: Exception | None = None

    def __call__(self, upto: Offset) -> bool:
        self.calls.append(upto)
        assert self.open.wait(SOON)
        if self.error is not None:
            raise self.error
        return True


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def written(journal: Journal) -> Journal:
    journal.append([b"{}"])
    return journal


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.django_db
def test_callers_that_come_during_a_commit_share_the_next_one(store: Store) -> None:
    confirmer = Confirmer(store)
    store.open.clear()
    waits = [
        threading.Thread(target=confirmer.wait, args=[Offset(1, byte), SOON]) for byte in range(20)
    ]
    waits[0].start()
    wait_until(lambda: len(store.calls) == 1)
    for wait in waits[1:]:
        wait.start()
    wait_until(lambda: len(confirmer._waiting) == len(waits))
    store.open.set()
    for wait in waits:
        wait.join(SOON)

    assert store.calls == [Offset(1, 0), Offset(1, 19)]
    assert confirmer.failing_for() == 0.0


@pytest.mark.django_db
def test_a_coroutine_waits_without_a_thread_of_its_own(store: Store) -> None:
    confirmer = Confirmer(store)

    async def many() -> None:
        await asyncio.gather(*(confirmer.wait_async(Offset(1, byte), SOON) for byte in range(50)))

    asyncio.run(many())
    assert len(store.calls) < 50


@pytest.mark.django_db
def test_it_tries_again_though_nobody_waits_any_more(store: Store) -> None:
    confirmer = Confirmer(store)
    store.error = OSError("the server is away")
    with pytest.raises(TimeoutError):
        confirmer.wait(Offset(1, 5), 0.05)
    wait_until(lambda: confirmer.fault == "the server is away")
    assert confirmer.failing_for() > 0

    store.error = None
    wait_until(lambda: confirmer.failing_for() == 0.0)
    assert store.calls[-1] == Offset(1, 5)
    assert confirmer.fault == ""


@pytest.mark.django_db
def test_while_it_fails_callers_are_refused_before_anything_is_written(
    store: Store, written: Journal
) -> None:
    store.error = OSError("the server is away")
    mode = InDatabase(Confirmer(store), wait=0.1, falls_back=False)
    mode.ensure()
    with pytest.raises(NotStoredYet, match=r"the server is away.*to send it again is safe"):
        mode.reach(written)
    wait_until(lambda: mode.confirmer.failing_for() > mode.wait)
    with pytest.raises(NothingConfirmed, match="the server is away"):
        mode.ensure()

    store.error = None
    wait_until(lambda: mode.confirmer.failing_for() == 0.0)
    mode.ensure()
    assert mode.reach(written) == "database"


@pytest.mark.django_db
def test_a_mode_that_falls_back_answers_local(store: Store, written: Journal) -> None:
    store.error = OSError("the server is away")
    mode = InDatabase(Confirmer(store), wait=0.05, falls_back=True)
    assert mode.reach(written) == "local"
    mode.ensure()
    with pytest.raises(NotStoredYet):
        mode.confirm(written)


@pytest.mark.django_db
def test_a_forked_child_confirms_for_itself(store: Store) -> None:
    confirmer = Confirmer(store)
    confirmer.wait(Offset(1, 1), SOON)
    child = os.fork()
    if child == 0:
        try:
            confirmer.wait(Offset(1, 2), SOON)
        except BaseException:  # noqa: BLE001  # the parent reads the exit code
            os._exit(1)
        os._exit(0)

    assert os.waitpid(child, 0)[1] == 0
