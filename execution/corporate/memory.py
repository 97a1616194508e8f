"""The rows of what is known of prices: actions, bars that were seen, and doubts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction

from execution.corporate.recognition import Pair
from execution.models import CorporateAction, SeenPrices
from signals import acts
from signals.clock import Clock
from signals.dialect import for_update
from signals.market.actions import ActionKind
from signals.rows import select_one, update

logger = logging.getLogger(__name__)

MOMENT = timedelta(microseconds=1)
_SEEN = "SELECT * FROM seen_prices WHERE account = %s AND symbol = %s"


def doubts(account: str) -> list[SeenPrices]:
    """Return the instruments whose prices are not used."""
    found = SeenPrices.objects.filter(account=account).exclude(doubt="", unexplained="")
    return list(found.order_by("symbol"))


@dataclass(frozen=True)
class PriceMemory:
    """What is stored of the prices of each instrument on one account's market."""

    account: str
    clock: Clock

    def seen(self, symbol: str, *, locked: bool = False) -> SeenPrices | None:
        """Return what was seen of a symbol; None if it was never looked at.

        `locked`: lock it until the caller's transaction ends.
        """
        statement = _SEEN + (for_update() if locked else "")
        return select_one(SeenPrices, statement, [self.account, symbol])

    def actions(self, symbol: str) -> list[CorporateAction]:
        """Return the known actions of a symbol, also under earlier names, oldest first."""
        return CorporateAction.objects.of_symbol(self.account, symbol)

    def store(
        self, symbol: str, kind: ActionKind, after: datetime, ex_at: datetime,
        **others: Any,  # noqa: ANN401
    ) -> CorporateAction:  # fmt: skip
        """Store an action, which ends a doubt; return its row. One that is there stays."""
        with transaction.atomic():
            made, is_new = CorporateAction.objects.get_or_create(
                account=self.account, symbol=symbol, kind=kind.value, ex_at=ex_at,
                defaults={"after": after, "made_at": self.clock(), **others},
            )  # fmt: skip
            if is_new:
                self.trust(symbol)
            if is_new and made.by:
                acts.record(acts.Kind.PRICE, symbol, who=made.by, at=made.made_at,
                            after=str(made), why=made.why)  # fmt: skip
        if is_new:
            logger.warning("%s: %s", made, made.why)
        return made

    def remember(
        self, symbol: str, pairs: Sequence[Pair], listed_at: datetime, unexplained: str
    ) -> None:
        """Store the newest bars, and how the history changed if nothing explains it."""
        values = {
            "bars": [[time.isoformat(), close] for time, close in pairs],
            "looked_at": self.clock(),
            "listed_at": listed_at,
            "unexplained": unexplained,
        }
        SeenPrices.objects.update_or_create(account=self.account, symbol=symbol, defaults=values)
        if unexplained:
            logger.error("Prices are not used: %s", unexplained)

    def doubt(
        self, symbol: str, before: Decimal, after: Decimal, at: datetime, ratio: Fraction
    ) -> None:
        """Store that a price jumped, at `at`, as at a split that nobody reports."""
        text = (
            f"the price of {symbol} went from {before:f} to {after:f}, which looks like a split of "
            f"{ratio.numerator}:{ratio.denominator} that the market does not report"
        )
        now = self.clock()
        row, _ = SeenPrices.objects.get_or_create(
            account=self.account, symbol=symbol, defaults={"looked_at": now, "listed_at": now}
        )
        if not row.doubt:
            update(SeenPrices, row.pk, {"doubt": text, "doubt_at": at})
            logger.error("Prices are not used: %s", text)

    def trust(self, symbol: str) -> None:
        """End the doubt about a price."""
        seen = self.seen(symbol)
        if seen is not None and seen.doubt:
            update(SeenPrices, seen.pk, {"doubt": "", "doubt_at": None})
