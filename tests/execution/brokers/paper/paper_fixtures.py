"""A paper broker on its own: a test gives it bars and quotes, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from execution.brokers.fill_model import Costs, FillModel, Prices
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperStore
from execution.brokers.protocol import Bracket, Close, FillReport, OrderReport
from execution.money import ZERO
from execution.types import Side
from signals.market.sample import SampleMarket
from tests.execution.trading_fixtures import SYMBOL, Clock, always_open

FREE = Costs(ZERO, ZERO, ZERO)
ONE_DAY = timedelta(days=1)
FillSummary = tuple[str, Decimal, Decimal]


@dataclass
class PaperFixture:
    """A paper broker and its clock; each bar lasts a day, and orders are placed between bars."""

    fill_model: FillModel = field(default_factory=lambda: FillModel(FREE))
    deposit: Decimal = Decimal(100_000)
    is_exclusive: bool = False
    clock: Clock = field(default_factory=Clock)
    name: str = "paper-test"

    def __post_init__(self) -> None:
        store = PaperStore(self.name, self.deposit, self.is_exclusive)
        self.broker = PaperBroker(store, SampleMarket(), always_open, self.clock, self.fill_model)

    def place(
        self,
        name: str = "one",
        side: Side = Side.BUY,
        quantity: object = 10,
        stop: object = None,
        target: object = None,
    ) -> OrderReport:
        """Place a bracket at about 100, with exits at 95 and 110, or 105 and 90."""
        levels = (95, 110) if side is Side.BUY else (105, 90)
        low, high = stop or levels[0], target or levels[1]
        return self.broker.submit(
            Bracket(name, SYMBOL, side, exact(quantity), exact(high), exact(low), Decimal(100))
        )

    def close(self, name: str = "one", quantity: object = 10) -> OrderReport:
        side = Side(self.order(name).side).opposite
        return self.broker.submit(Close(f"{name}-close", name, SYMBOL, side, exact(quantity)))

    def order(self, name: str = "one") -> OrderReport:
        found = self.broker.find(name)
        assert found is not None
        return found

    def states(self, name: str = "one") -> dict[str, str]:
        entry = self.order(name)
        return {each.leg.value: each.state.value for each in (entry, *entry.legs)}

    def bar(self, *prices: object, volume: object = 1_000_000) -> list[FillSummary]:
        """Apply open, high, low and close of the next day.

        Return the fills: by which order, how much, at which price.
        """
        began = self.clock()
        self.clock.pass_by(days=1)
        opened, high, low, close = (exact(each) for each in prices)
        day = Prices(began, self.clock(), opened, high, low, close, exact(volume))
        return summaries(self.broker.see({SYMBOL: [day]}))

    def quote(self, price: object) -> list[FillSummary]:
        self.clock.pass_by(seconds=1)
        there = Prices.quoted(float(exact(price)), self.clock())
        return summaries(self.broker.see({SYMBOL: [there]}))


def summaries(fills: Sequence[FillReport]) -> list[FillSummary]:
    return [(each.broker_id, each.quantity, each.price) for each in fills]


def exact(value: object) -> Decimal:
    return Decimal(str(value))


def filled(name: str, quantity: object, price: object) -> FillSummary:
    return name, exact(quantity), exact(price)
