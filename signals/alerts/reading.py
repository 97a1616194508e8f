"""Reads what an alert asks for: to open on a side, to end signals, or both."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from argo.errors import FieldError, InvalidInput
from signals.alerts import values
from signals.alerts.content import Content
from signals.alerts.levels import Levels, levels_of
from signals.alerts.mapping import meaning
from signals.alerts.terms import Terms
from signals.alerts.values import ALL, FLAT, LONG, MEANINGS, Meaning
from signals.instruments import instrument
from signals.ledger.validation import FUTURE, check_symbol
from signals.market.instruments import Instrument

NOTHING = frozenset({"", "nan", "na", "n/a", "null", "none"})
"""What senders write where there is no value."""
OTHER = {"BUY": "SELL", "SELL": "BUY"}
MOST_ORDERS = 500
"""Symbols of one alert."""
Read = TypeVar("Read")


@dataclass(frozen=True)
class Order:
    """What an alert asks for in one symbol.

    `symbol` is the instrument's name in Argo, `sent` the sender's spelling. `opens` is the side of
    a new signal, empty if it opens nothing; `ends` the side of the signals to end, `all`, or empty.
    `levels` is None if nothing is opened.
    """

    symbol: str
    sent: str
    asset_type: str
    opens: str
    ends: str
    price: float | None
    levels: Levels | None
    confidence: float
    strategy: str
    reasoning: str
    time: datetime | None
    marks: tuple[str, ...]


def read(content: Content, terms: Terms, now: datetime) -> list[Order]:
    """Return what the alert asks for. Raises InvalidInput with every fault."""
    faults, orders = list[FieldError](), list[Order]()
    for fields in _each(_fields(content, terms), terms.mapping.split):
        reader = _Reader(terms, fields, now)
        order = reader.order()
        if order is not None and not reader.faults:
            orders.append(order)
        faults += reader.faults
    if faults:
        raise InvalidInput(list(dict.fromkeys(faults)))
    return orders


def _fields(content: Content, terms: Terms) -> dict[str, Any]:
    """Return the first value of each field."""
    mapping = terms.mapping
    found: dict[str, Any] = dict(mapping.defaults)
    for name, places in mapping.places.items():
        given = (place(content) for place in places)
        value = next((each for each in given if not _is_nothing(each)), None)
        if value is not None:
            found[name] = value
    return found


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in NOTHING)


def _each(fields: dict[str, Any], split: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the fields of each symbol of an alert. Raises InvalidInput if the counts differ."""
    lists = {name: str(fields[name]).split(",") for name in split if name in fields}
    counts = sorted({len(each) for each in lists.values()})
    if len(counts) > 1:
        text = f"have {' and '.join(map(str, counts))} values: send one for each symbol"
        raise InvalidInput([FieldError(", ".join(lists), text)])
    if not lists:
        yield fields
        return
    if counts[0] > MOST_ORDERS:
        raise InvalidInput([FieldError("symbol", f"has more than {MOST_ORDERS} values")])
    for row in zip(*lists.values(), strict=True):
        yield fields | dict(zip(lists, row, strict=True))


@dataclass
class _Reader:
    """Reads the fields of one symbol, and collects their faults."""

    terms: Terms
    fields: Mapping[str, Any]
    now: datetime
    faults: list[FieldError] = field(default_factory=list)

    def order(self) -> Order | None:
        """Return what is asked for; None if a fault leaves nothing to return."""
        found, meant = self._instrument(), self._meaning()
        price = self._get("price", values.number)
        if price is not None and not price > 0:
            self._fault("price", "must be above 0")
        time, bar_time = self._time("time"), self._time("bar_time")
        self._check_lag(time or bar_time)
        if found is None or meant is None:
            return None
        return Order(
            symbol=found.symbol,
            sent=str(self.fields["symbol"]).strip(),
            asset_type=self._get("asset_type", values.text) or found.asset_type,
            opens=meant.opens,
            ends=meant.ends,
            price=price,
            levels=self._levels(meant, price, found) if meant.opens else None,
            confidence=self._confidence(),
            strategy=self._get("strategy", values.text) or self.terms.name,
            reasoning=self._get("reasoning", values.text) or "",
            time=time,
            marks=self._marks(bar_time),
        )

    def _instrument(self) -> Instrument | None:
        """Return the instrument, by the sender's own table first."""
        if (sent := self._get("symbol", values.text)) is None:
            if "symbol" not in self.fields:
                self._fault("symbol", "is missing")
            return None
        spelled = self.terms.symbols.get(sent.upper(), sent)
        try:
            return instrument(check_symbol(spelled), self._asset_type())
        except InvalidInput as error:
            self.faults += error.errors
            return None

    def _asset_type(self) -> str:
        given = self.fields.get("asset_type")
        return given if isinstance(given, str) else ""

    def _meaning(self) -> Meaning | None:
        """Return what the words for the order and for the position after it ask for together."""
        position = self._get("position", self._position)
        before = self._get("previous_position", self._position)
        word = self._get("action", values.text)
        if word is None and position is None:
            self._fault("action", "is missing")
            return None
        meant = MEANINGS.get(meaning(self.terms.mapping, word)) if word is not None else None
        if word is not None and meant is None:
            self._fault("action", f"{values.shown(word)} is not a word that the mapping knows")
            return None
        return self._with_position(meant, position, before)

    def _with_position(
        self, meant: Meaning | None, position: str | None, before: str | None
    ) -> Meaning | None:
        if position is None or (meant is not None and meant.ends):
            return meant
        if position == FLAT:
            return Meaning(ends=ALL)
        side = "BUY" if position == LONG else "SELL"
        if meant is not None and meant.opens != side:
            self._fault(
                "position",
                f"stays {position} after a {meant.opens}: a part of a position is closed, and Argo "
                "ends a signal as a whole. Send flat, or exit",
            )
            return None
        is_turned = before not in (None, FLAT, position)
        return Meaning(opens=side, ends=OTHER[side] if is_turned else "")

    def _position(self, value: object) -> str:
        word = values.text(value)
        translated = meaning(self.terms.mapping, word)
        return values.position(translated if translated in values.POSITIONS else word)

    def _levels(self, meant: Meaning, price: float | None, found: Instrument) -> Levels | None:
        numbers = ("target", "stop", "target_percent", "stop_percent")
        given = {name: self._get(name, values.number) for name in numbers}
        if price is None:
            if "price" not in self.fields:
                self._fault("price", "is missing")
            return None
        levels, faults = levels_of(meant.opens, price, given, self.terms.mapping, found)
        self.faults += faults
        return levels

    def _confidence(self) -> float:
        given = self._get("confidence", values.number)
        return self.terms.confidence if given is None else given

    def _time(self, name: str) -> datetime | None:
        zone = self.terms.mapping.time_zone
        found = self._get(name, lambda value: values.moment(value, zone))
        if found is not None and found > self.now + FUTURE:
            self._fault(name, f"is more than five minutes ahead of the clock, {self.now:%H:%M:%S}")
        return found

    def _check_lag(self, time: datetime | None) -> None:
        most = self.terms.max_lag
        if most is not None and time is not None and self.now - time > most:
            lag = (self.now - time).total_seconds()
            self._fault(
                "time", f"is {lag:.0f} s old; the sender's limit is {most.total_seconds():.0f} s"
            )

    def _marks(self, bar_time: datetime | None) -> tuple[str, ...]:
        """Return what tells this alert from others of its symbol and side; empty if nothing."""
        own = self._get("id", values.text)
        order_id = self._get("order_id", values.text)
        moment = f"id {own}" if own else bar_time.isoformat() if bar_time else ""
        return (moment, order_id or "") if moment or order_id else ()

    def _get(self, name: str, convert: Callable[[Any], Read]) -> Read | None:
        """Return a field's value; None if it is missing or has a fault."""
        if name not in self.fields or _is_nothing(self.fields[name]):
            return None
        try:
            return convert(self.fields[name])
        except ValueError as error:
            self._fault(name, str(error))
            return None

    def _fault(self, name: str, message: str) -> None:
        self.faults.append(FieldError(name, message))
