"""The votes on a report's signals: who voted how, who votes alike, and whose confidence is true."""

from io import BytesIO
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow.json import ParseOptions, ReadOptions, read_json

from signals.analysis.sources import NUMBERS, Votes, calibrations, pairs, voted

Section = dict[str, Any]
VOTE = {"source": pa.string(), "direction": pa.string(), "confidence": pa.float64()}
VOTES = pa.list_(pa.struct([*VOTE.items()]))
IN_TURN = ReadOptions(use_threads=False)
PARSING = ParseOptions(
    explicit_schema=pa.schema([("votes", VOTES)]), unexpected_field_behavior="ignore"
)
AT_ONCE = 5000
"""Signals whose votes are read at once."""


def vote_sections(table: pa.Table) -> Section:
    """Return `votes`, each source's votes and calibration, and `pairs`, how alike any two are.

    The outcomes of `table` are those that the signals had or, untraded, would have had.
    """
    votes = votes_of(table)
    calibrated = calibrations(votes, _events(table))
    return {
        "votes": {
            name: numbers._asdict()
            | {"calibration": {key: each.as_json() for key, each in calibrated[name].items()}}
            for name, numbers in voted(votes).items()
        },
        "pairs": [pair.as_json() for pair in pairs(votes.sources, votes.direction)],
    }


def votes_of(table: pa.Table) -> Votes:
    """Return the stored votes; sources in the order of their names.

    A signal from elsewhere may have anything as its votes. What names no source is left out; what
    has no direction, or no confidence from 0 to 100, is an abstention.
    """
    side = np.where(pc.equal(table["action"].cast(pa.string()), "BUY"), 1.0, -1.0)
    places, votes = _in_rows(table["votes"])
    sources = votes["source"].dictionary_encode().combine_chunks()
    names = sources.dictionary.to_pylist()
    rows = np.argsort(np.argsort(names))[sources.indices.to_numpy()] if names else np.array([], int)
    direction = _numbers(votes["direction"])
    confidence = votes["confidence"].to_numpy() / 100
    is_vote = ~np.isnan(direction) & (confidence >= 0) & (confidence <= 1)
    shape = len(names), table.num_rows
    directions, confidences = np.full(shape, np.nan), np.full(shape, np.nan)
    asked = np.zeros(shape, np.bool_)
    directions[rows, places] = np.where(is_vote, direction, np.nan)
    confidences[rows, places] = np.where(is_vote, confidence, np.nan)
    asked[rows, places] = True
    return Votes(sorted(names), side, directions, confidences, asked)


def _in_rows(texts: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.Table]:
    """Return all votes below each other, and the place of each vote's signal.

    The signals are taken some at a time: as Python objects all votes would fill the memory.
    """
    places: list[NDArray[np.int64]] = [np.array([], np.int64)]
    tables = [pa.table({name: pa.array([], kind) for name, kind in VOTE.items()})]
    for start in range(0, len(texts), AT_ONCE):
        some = [text or "null" for text in texts.slice(start, AT_ONCE).to_pylist()]
        listed = _read(some).combine_chunks()
        found = pa.Table.from_struct_array(listed.flatten())
        has_source = pc.is_valid(found["source"])
        parents = pa.chunked_array([pc.list_parent_indices(listed)]).filter(has_source)
        places.append(start + parents.to_numpy())
        tables.append(found.filter(has_source))
    return np.concatenate(places), pa.concat_tables(tables)


def _read(texts: list[str]) -> pa.ChunkedArray:
    """Return the votes of each signal; Arrow reads them ten times as fast as Python could."""
    lines = "\n".join(f'{{"votes":{text}}}' for text in texts).encode()
    try:
        return read_json(BytesIO(lines), IN_TURN, PARSING)["votes"]
    except pa.ArrowInvalid:  # some have another form
        return pa.chunked_array([list(map(_listed, texts))], VOTES)


def _listed(text: str) -> list[Section]:
    """Return what a signal has as its votes, each with the types of `VOTE`."""
    found = orjson.loads(text)
    return [_typed(vote) for vote in found if isinstance(vote, dict)] if type(found) is list else []


def _typed(vote: Section) -> Section:
    source, direction, confidence = (vote.get(name) for name in VOTE)
    return {
        "source": source if isinstance(source, str) else None,
        "direction": direction if isinstance(direction, str) else None,
        "confidence": float(confidence) if isinstance(confidence, int | float) else None,
    }


def _numbers(directions: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return the directions as `NUMBERS` counts them; NaN for any other text, and without one."""
    words = pa.array([*NUMBERS], pa.string())
    places = pc.index_in(directions, words)
    numbers = pc.take(pa.array([*NUMBERS.values()], pa.float64()), places)
    return np.asarray(numbers.to_numpy(), dtype=float)


def _events(table: pa.Table) -> NDArray[np.float64]:
    """Return 1 for each signal that reached its target first, 0 if not, NaN if it has not ended."""
    outcome = table["outcome"].cast(pa.string())
    reached = pc.cast(pc.equal(outcome, "win"), pa.float64())  # null stays null
    return np.asarray(reached.to_numpy(zero_copy_only=False), dtype=float)
