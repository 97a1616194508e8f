"""What a check found: faults, remarks and facts."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong: a code for programs, a sentence for people, the entry if it is one's."""

    code: str
    message: str
    index: int | None = None

    def __str__(self) -> str:
        """Return the sentence with its entry."""
        place = "" if self.index is None else f"entry {self.index}: "
        return f"{place}{self.message}"


FEW = 20
"""As many signals as a person wants to see one by one."""


class Report:
    """Collects what a check finds; a fault never ends it as long as something can be checked."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.remarks: list[str] = []
        self.facts: dict[str, Any] = {}

    def fault(self, code: str, message: object, index: int | None = None) -> None:
        """Note something wrong."""
        self.faults.append(Fault(code, str(message), index))

    def remark(self, message: str) -> None:
        """Note something that a person should know, and that is not wrong."""
        self.remarks.append(message)

    def as_json(self) -> dict[str, Any]:
        """Return everything for a program."""
        return {
            "ok": not self.faults,
            "faults": [asdict(fault) for fault in self.faults],
            "remarks": self.remarks,
            **self.facts,
        }

    def text(self) -> str:
        """Return everything for a person, without characters that a terminal obeys."""
        lines = [f"{name.replace('_', ' ')}: {_short(value)}" for name, value in self._shown()]
        lines += self._strategies() + self._signals()
        lines += [f"note: {remark}" for remark in self.remarks]
        lines += [f"WRONG ({fault.code}): {fault}" for fault in self.faults]
        lines.append("NOT ACCEPTED" if self.faults else "All that can be checked here is right.")
        return "\n".join(map(printable, lines))

    def _strategies(self) -> list[str]:
        """Return a line for each strategy, if there are several."""
        records = self.facts.get("strategies", {})
        lines = [f"strategy {name!r}: {_short(record)}" for name, record in records.items()]
        return lines if len(lines) > 1 else []

    def _signals(self) -> list[str]:
        """Return a line for each signal, if they are few."""
        signals = self.facts.get("signals", [])
        return list(map(_signal_text, signals)) if len(signals) <= FEW else []

    def _shown(self) -> list[tuple[str, Any]]:
        own_lines = ("signals", "strategies")
        return [(name, value) for name, value in self.facts.items() if name not in own_lines]


def printable(text: str) -> str:
    """Return the text with each character that does not print as its escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _signal_text(signal: dict[str, Any]) -> str:
    ends = [signal[name] or "no proved time" for name in ("made_after", "existed_by")]
    name, percent = signal["outcome"] or "open", signal["profit_loss_pct"]
    result = name if percent is None else f"{name}, {percent:+.6g}%"
    return (
        f"{signal['kind']} {signal['signal_id']!r} is entry {signal['index']}, entered after "
        f"{ends[0]}, existed by {ends[1]}: {result}"
    )


def _short(value: object) -> str:
    if isinstance(value, dict):
        found = (f"{name.replace('_', ' ')} {_short(each)}" for name, each in value.items())
        return ", ".join(found) or "none"
    if isinstance(value, list):
        return ", ".join(map(_short, value)) or "none"
    return "unknown" if value is None else f"{value:.6g}" if type(value) is float else str(value)
