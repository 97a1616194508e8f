"""All orders of one signal, read at once."""

from dataclasses import dataclass
from decimal import Decimal

from execution.models import Order
from execution.money import ZERO
from execution.types import Leg
from signals.models import Signal
from signals.rows import by_id


@dataclass(frozen=True)
class Trade:
    """A signal's entry, its exits, and what was ordered to close it."""

    orders: tuple[Order, ...]

    @classmethod
    def read(cls, signal_pk: int) -> "Trade":
        """As the rows are now; they are locked until the caller's transaction ends."""
        return cls(tuple(Order.objects.of_signal(signal_pk, locked=True)))

    @property
    def entry(self) -> Order:
        """The order that opens the position."""
        return self.leg(Leg.ENTRY)

    @property
    def signal(self) -> Signal:
        """What is traded."""
        pk = self.entry.signal_id
        return by_id(Signal, [pk])[pk]

    @property
    def held(self) -> Decimal:
        """What was entered and not ended yet."""
        return sum(
            (each.filled if each.leg == Leg.ENTRY else -each.filled for each in self.orders), ZERO
        )

    def leg(self, leg: Leg) -> Order:
        """The order of this leg, the first where there are several."""
        return next(each for each in self.orders if each.leg == leg)

    def order(self, pk: int) -> Order:
        """The order of this row."""
        return next(each for each in self.orders if each.pk == pk)
