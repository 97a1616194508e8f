"""The comparison of signal, backtest and account for the page."""

from typing import Any

from argo.reports.divergence.text import STEPS, WORLDS, causes_text, percent

Section = dict[str, Any]
PAIRS = (
    ("signal", "decision"),
    ("backtest_entry", "backtest_exit"),
    ("account_entry", "account_exit"),
)
"""The prices that share a cell."""


def divergence_rows(section: Section) -> Section:
    """Return what the page shows: means with their texts, and the worst signals."""
    return {
        "compared": section["compared"],
        "null_because": section["null_because"],
        "not_compared": section["not_compared"],
        "results": [
            {"title": title} | _mean(section["results"][world]) for world, title in WORLDS.items()
        ],
        "steps": [
            {"title": title, "causes": _causes(section[name]["causes"])}
            | _mean(section[name]["difference_pct"])
            for name, title in STEPS.items()
        ],
        "worst": [_worst(row) for row in section["worst"]],
    }


def _causes(causes: Section) -> list[Section]:
    return [
        {"title": cause.replace("_", " "), "meaning": part["meaning"], "signals": part["signals"]}
        | _mean(part)
        for cause, part in causes.items()
    ]


def _mean(figure: Section) -> Section:
    interval = figure["interval"]
    return {
        "value": percent(figure["value"]),
        "is_negative": figure["value"] is not None and figure["value"] < 0,
        "interval": interval and (percent(interval["low"]), percent(interval["high"])),
        "n": figure["n"],
    }


def _worst(row: Section) -> Section:
    results, prices = row["results_pct"], row["prices"]
    return {
        "signal_id": row["signal_id"],
        "instrument": row["instrument"],
        "action": row["action"],
        "prices": [f"{_price(prices[one])}, {_price(prices[other])}" for one, other in PAIRS],
        "results": [
            {"value": percent(results[world], 2), "is_negative": results[world] < 0}
            for world in WORLDS
        ],
        "causes": causes_text(row["causes"]),
    }


def _price(price: float | None) -> str:
    return "-" if price is None else f"{price:,.5g}"
