"""Keeps results that took long: one private file each, which says how it can be repeated."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from signals.files import make_folder, make_once

BACKTESTS, WORTH = "backtests", "worth"
"""The folders of the results of `backtest_signals` and of `weigh_sources`."""
TIME = "%Y%m%dT%H%M%S.%fZ"


class Kept(NamedTuple):
    """A stored result; `problem` says why it cannot be read, and is empty otherwise."""

    path: Path
    result: dict[str, Any]
    problem: str = ""

    @property
    def made_at(self) -> str:
        """Return when it was made (UTC), as its name says."""
        return self.path.name.partition("-")[0]


def sha256_of(parameters: dict[str, Any]) -> str:
    """Return the SHA-256 of these parameters; the order of their names does not count."""
    return sha256(orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)).hexdigest()


def keep(
    data_folder: Path, result: dict[str, Any], made_at: datetime, folder: str = BACKTESTS
) -> Path:
    """Write a result into a file of its own; return its path. Raises OSError."""
    place = data_folder / folder
    make_folder(place)
    name = f"{made_at:{TIME}}-{result['parameters_sha256'][:12]}.json"
    text = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    make_once(place / name, f"{text}\n")
    return place / name


def kept(
    data_folder: Path, folder: str, *, sha256: str | None = None, until: datetime | None = None
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Yield when each result was made, and the result, newest first.

    With `sha256` only those whose parameters have this hash; with `until` only those made until
    then. Raises OSError if a file cannot be read, and ValueError if it is damaged.
    """
    begins = "*" if sha256 is None else sha256[:12]
    for path in sorted((data_folder / folder).glob(f"*-{begins}.json"), reverse=True):
        made_at = datetime.strptime(path.name.split("-")[0], TIME).replace(tzinfo=UTC)
        if until is None or made_at <= until:
            yield made_at, orjson.loads(path.read_bytes())


def kept_backtests(data_folder: Path) -> list[Kept]:
    """Return all results of backtests, oldest first; a damaged file says what is wrong with it."""
    return [_read(path) for path in sorted((data_folder / BACKTESTS).glob("*.json"))]


def _read(path: Path) -> Kept:
    try:
        found = orjson.loads(path.read_bytes())
    except OSError as error:
        return Kept(path, {}, f"it cannot be read: {error.strerror}")
    except orjson.JSONDecodeError as error:
        return Kept(path, {}, f"it is no JSON: {error}")
    if not (isinstance(found, dict) and isinstance(found.get("result"), dict)):
        return Kept(path, {}, "it holds no result of a backtest")
    return Kept(path, found)
