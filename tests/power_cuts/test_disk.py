"""The model of a disk: what a power cut may take, and what it may not."""

from collections.abc import Iterator

from tests.power_cuts.disk import (
    DATA_ALONE,
    NAMES_ALONE,
    NOTHING,
    ROOT,
    Disk,
    lucks,
)
from tests.power_cuts.layout import Contents
from tests.power_cuts.trace import Names, Resize, Step, Sync, Write

FILE, FOLDER, OTHER = 1, 2, 3


def a_disk(*steps: Step) -> Disk:
    """Return a disk that holds the file `a` with "old", after these steps."""
    disk = Disk({"a": FILE}, {FILE: b"old"})
    for place, step in enumerate(steps):
        disk.take(place, step)
    return disk


def all_after(disk: Disk) -> Iterator[Contents]:
    return map(disk.after, lucks("test", 200))


def files_after(disk: Disk) -> set[bytes | None]:
    return {contents.get("a") for contents in all_after(disk)}


def test_what_was_written_and_not_synced_may_be_lost_cut_or_there() -> None:
    found = files_after(a_disk(Write(FILE, 3, b"new")))
    assert {b"old", b"oldn", b"oldnew", b"old\0\0\0", b"old\0\0w", b"oldn\0w"} <= found
    assert all(content is not None and content.startswith(b"old") for content in found)


def test_what_was_synced_is_there() -> None:
    disk = a_disk(Write(FILE, 3, b"new"), Sync(FILE, 1))
    assert files_after(disk) == {b"oldnew"}


def test_a_sync_covers_only_what_was_done_before_it_began() -> None:
    disk = a_disk(Write(FILE, 3, b"one"), Write(FILE, 6, b"two"), Sync(FILE, 1))
    assert {b"oldone", b"oldonetwo"} <= files_after(disk)
    assert disk.after(NOTHING) == {"a": b"oldone"}


def test_writes_reach_the_disk_in_any_order() -> None:
    found = files_after(a_disk(Write(FILE, 3, b"one"), Write(FILE, 6, b"two")))
    assert {b"oldone", b"old\0\0\0two", b"oldonetwo", b"old"} <= found


def test_a_cut_of_a_file_may_not_have_happened() -> None:
    assert files_after(a_disk(Resize(FILE, 1))) == {b"old", b"o"}
    assert files_after(a_disk(Resize(FILE, 5))) == {b"old", b"old\0\0"}


def test_the_sync_of_a_file_does_not_cover_its_name() -> None:
    made: list[Step] = [Names(ROOT, {"b": OTHER}), Write(OTHER, 0, b"new"), Sync(OTHER, 2)]
    assert a_disk(*made).after(NOTHING) == {"a": b"old"}
    assert a_disk(*made, Sync(ROOT, 3)).after(NOTHING) == {"a": b"old", "b": b"new"}


def test_a_name_may_be_there_before_the_content() -> None:
    disk = a_disk(Names(ROOT, {"b": OTHER}), Write(OTHER, 0, b"new"))
    assert disk.after(NAMES_ALONE)["b"] == b"\0\0\0"
    assert "b" not in disk.after(DATA_ALONE)


def test_a_folder_is_lost_with_all_that_is_in_it() -> None:
    steps = (
        Names(ROOT, {"folder": FOLDER}, makes_folder=True),
        Names(FOLDER, {"b": OTHER}),
        Write(OTHER, 0, b"new"),
        Sync(OTHER, 3),
        Sync(FOLDER, 4),
    )
    whole = {"a": b"old", "folder": None, "folder/b": b"new"}
    assert a_disk(*steps).after(NOTHING) == {"a": b"old"}
    assert a_disk(*steps, Sync(ROOT, 5)).after(NOTHING) == whole


def test_a_renaming_happens_as_a_whole() -> None:
    assert all(len(found) == 1 for found in all_after(a_disk(Names(ROOT, {"a": None, "b": FILE}))))


def test_changes_of_one_name_happen_in_their_order() -> None:
    disk = a_disk(
        Names(ROOT, {"a": None, "b": FILE}), Names(ROOT, {"a": OTHER}), Names(ROOT, {"c": OTHER})
    )
    names = {frozenset(found) for found in all_after(disk)}
    assert frozenset("bc") in names
    assert frozenset("ac") in names  # another name does not wait
    assert all("b" in found or found["a"] == b"old" for found in all_after(disk))


def test_a_file_with_two_names_is_one_file() -> None:
    disk = a_disk(Names(ROOT, {"b": FILE}), Write(FILE, 3, b"new"))
    assert all(found["a"] == found.get("b", found["a"]) for found in all_after(disk))
