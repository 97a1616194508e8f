"""Keeps the results of backtests: one private file each, which says how it can be repeated."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from signals.files import make_folder, make_once

FOLDER = "backtests"


def sha256_of(parameters: dict[str, Any]) -> str:
    """Return the SHA-256 of these parameters; the order of their names does not count."""
    return sha256(orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)).hexdigest()


def keep(data_folder: Path, result: dict[str, Any], made_at: datetime) -> Path:
    """Write a result into a file of its own; return its path. Raises OSError."""
    folder = data_folder / FOLDER
    make_folder(folder)
    name = f"{made_at:%Y%m%dT%H%M%S.%fZ}-{result['parameters_sha256'][:12]}.json"
    text = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    make_once(folder / name, f"{text}\n")
    return folder / name
