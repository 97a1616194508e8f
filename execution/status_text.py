"""The state of execution as text, for the command and the admin site."""

from typing import Any

from signals.status_text import Capped, period_lines

STATES = {
    "on": "every signal that the rules allow is traded",
    "off": "AUTO_EXECUTE is off, and a signal is traded only if somebody asks for it",
    "halted": "trading is halted",
}


def as_text(found: dict[str, Any]) -> str:
    """Return the answer of `execution.status.status` as lines of text."""
    lines = [f"Account {found['account']}: {STATES[found['state']]}.", *found["problems"]]
    lines += [
        f"On another account, {halt['account']}, trading is halted: {halt['reason']}"
        for halt in found["halts_elsewhere"]
    ]
    lines.append(_waiting_text(found))
    if "last_hour" in found:
        lines += period_lines(found, _rate_text)
    if found.get("skipped_for"):
        lines.append(f"reasons for skipping: {_counts(found['skipped_for'])}")
    orders = _counts(found["open_orders"]) or "none"
    lines.append(f"{found['open_positions']} positions are open; open orders: {orders}")
    if found["reconciled_at"]:
        when = f"{found['reconciled_at']:%Y-%m-%d %H:%M:%S}"
        lines.append(f"The broker's records last matched ours at {when} UTC.")
    return "\n".join(lines)


def _waiting_text(found: dict[str, Any]) -> str:
    age = found["oldest_pending_seconds"]
    since = "" if age is None else f", the oldest for {age:.0f} s"
    pending = Capped(found["pending"], "pending" in found["at_least"])
    return f"{pending} decisions are pending{since}"


def _rate_text(rate: dict[str, Any]) -> str:
    if rate["execution_rate"] is None:
        return "nothing was decided"
    share = f"{rate['execution_rate']:.1%}"
    text = f"{rate['executed']} executed ({share}), {rate['skipped']} skipped"
    return f"of the newest decisions {text}" if rate["at_least"] else text


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.items())
