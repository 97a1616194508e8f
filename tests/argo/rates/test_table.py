"""The shared table: one number for each caller, whatever process or thread counts."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from argo.rates.table import PROBES, SLOT, SLOTS, SharedTable

TIMES = 200


def _add_one(value: float) -> float:
    return value + 1.0


def _returns(value: float) -> Callable[[float], float]:
    return lambda _: value


def _count(path: Path) -> None:
    _add(SharedTable(path))


def _add(shared: SharedTable) -> None:
    for _ in range(TIMES):
        shared.update(b"caller-1", _add_one)


def value_of(table: SharedTable, name: bytes) -> float:
    found = []

    def look(value: float) -> float:
        found.append(value)
        return value

    table.update(name, look)
    return found[0]


def test_processes_and_threads_count_together(tmp_path: Path) -> None:
    path = tmp_path / "rate-limits"
    shared = SharedTable(path)
    shared.update(b"caller-1", _add_one)  # a fork gets a table that is open
    with multiprocessing.get_context("fork").Pool(3) as pool, ThreadPoolExecutor(3) as threads:
        done = pool.map_async(_count, [path] * 3)
        for each in [threads.submit(_add, shared) for _ in range(3)]:
            each.result()
        done.get()
    assert value_of(shared, b"caller-1") == 6 * TIMES + 1
    assert path.stat().st_mode & 0o077 == 0


def test_callers_of_one_slot_are_told_apart_and_the_least_busy_one_gives_way(
    tmp_path: Path,
) -> None:
    shared = SharedTable(tmp_path / "rate-limits")
    names = [(7 + SLOTS * number).to_bytes(8, "little") for number in range(PROBES + 1)]
    for number, name in enumerate(names[:PROBES]):
        shared.update(name, _returns(100.0 + number))
    assert [value_of(shared, name) for name in names[:PROBES]] == [
        100.0 + number for number in range(PROBES)
    ]
    shared.update(names[PROBES], _returns(500.0))
    assert value_of(shared, names[PROBES]) == 500.0
    assert value_of(shared, names[1]) == 101.0


def test_without_a_file_each_process_counts_by_itself(tmp_path: Path) -> None:
    (tmp_path / "rate-limits").mkdir()  # it cannot be opened as a file
    shared = SharedTable(tmp_path / "rate-limits")
    shared.update(b"caller-1", _add_one)
    shared.update(b"caller-1", _add_one)
    assert value_of(shared, b"caller-1") == 2.0


def test_the_file_has_a_fixed_size(tmp_path: Path) -> None:
    shared = SharedTable(tmp_path / "rate-limits")
    for number in range(2000):
        shared.update(number.to_bytes(8, "big"), _add_one)
    assert (tmp_path / "rate-limits").stat().st_size == SLOTS * SLOT.size
