"""Finds the entries that lines have already, after the tables were made from the record's folder.

Entries of one journal keep its order. So its lines are looked for from the last one found on, and
the first line without an entry is followed by none that has one.
"""

from collections.abc import Sequence

from signals.record.log.tables import digests_between


def matches(begin: int, end: int, digests: Sequence[bytes], using: str) -> list[int]:
    """Return the index of the entry of each line, up to the first line that has none.

    Only entries between `begin` and `end` are looked at.
    """
    entries = digests_between(begin, end, using)
    found: list[int] = []
    for digest in digests:
        index = next((index for index, each in entries if each == digest), None)
        if index is None:
            break
        found.append(index)
    return found
