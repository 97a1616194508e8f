"""The two promises that an answer can make: on this machine's disk, or in the database."""

from dataclasses import dataclass
from typing import Protocol

from argo.errors import Unavailable
from signals.ledger.durability.confirmer import Confirmer

LOCAL, DATABASE = "local", "database"
RETRY_AFTER = 1
"""Seconds after which a caller should try again."""


class NotStoredYet(Unavailable):
    """The signals are safe in the journal, but not yet in the database: a flush stores them."""

    retry_after = RETRY_AFTER


class NothingConfirmed(Unavailable):
    """The database confirms nothing at present; the signals were not stored."""

    retry_after = RETRY_AFTER


class Durability(Protocol):
    """What lines of one journal wait for, once they are written, before they are acknowledged."""

    needs_database: bool

    def ensure(self) -> None:
        """Raise NothingConfirmed if it is known that waiting would fail; nothing is written yet."""

    def reach(self) -> str | None:
        """Wait; return what the answer says of the lines' durability, None for nothing.

        Raises NotStoredYet.
        """

    async def reach_async(self) -> str | None:
        """Do the same as `reach`, from a coroutine."""

    def confirm(self) -> None:
        """Wait until the lines are rows in the database. Raises NotStoredYet."""


class OnThisMachine:
    """`local`: the journal is enough, and nothing is waited for."""

    needs_database = False

    def ensure(self) -> None:
        pass

    def reach(self) -> None:
        pass

    async def reach_async(self) -> None:
        pass

    def confirm(self) -> None:
        raise AssertionError("only a durability that needs the database confirms")


@dataclass(frozen=True)
class InDatabase:
    """`database`: lines are acknowledged once the database has confirmed them.

    Attributes:
        confirmer: stores and confirms them, for all callers of this process.
        wait: seconds that a caller waits at most.
        falls_back: after that, answer with the durability `local` instead of NotStoredYet.
    """

    confirmer: Confirmer
    wait: float
    falls_back: bool
    needs_database = True

    def ensure(self) -> None:
        if self._is_failing() and not self.falls_back:
            raise NothingConfirmed(
                f"The database has confirmed nothing for {self.confirmer.failing_for():.0f} s"
                f"{self._why()}. Nothing was stored: send it again later."
            )

    def reach(self) -> str:
        try:
            self._wait()
        except TimeoutError:
            return self._unconfirmed()
        return DATABASE

    async def reach_async(self) -> str:
        try:
            await self.confirmer.wait_async(self._seconds())
        except TimeoutError:
            return self._unconfirmed()
        return DATABASE

    def confirm(self) -> None:
        try:
            self._wait()
        except TimeoutError:
            raise self._not_yet() from None

    def _wait(self) -> None:
        self.confirmer.wait(self._seconds())

    def _seconds(self) -> float:
        """Return how long to wait: not at all if it is known to fail, so that no thread is held."""
        return 0.0 if self._is_failing() else self.wait

    def _is_failing(self) -> bool:
        return self.confirmer.failing_for() > self.wait

    def _unconfirmed(self) -> str:
        if self.falls_back:
            return LOCAL
        raise self._not_yet()

    def _not_yet(self) -> NotStoredYet:
        return NotStoredYet(
            f"The database has not confirmed it within {self.wait:g} s{self._why()}. It is in the "
            "journal of this machine, and may be stored later; to send it again is safe."
        )

    def _why(self) -> str:
        return f" ({self.confirmer.fault})" if self.confirmer.fault else ""


ON_THIS_MACHINE = OnThisMachine()
