"""Whatever is in a body of lines, every door gives each line the same answer."""

import re
from collections.abc import Sequence

from hypothesis import assume, given

from tests.fuzz.bodies import BOM, bodies
from tests.fuzz.rounds import examples
from tests.signals.doors.conftest import doors, key
from tests.signals.doors.doors import Doors, Outcome

__all__ = ["doors", "key"]  # fixtures
CLOCK = re.compile(r"(ahead of the clock), \S+")
NO_OBJECT = {
    "body: must be one JSON object; send several to /api/signals/batch": (
        "signal: must be a JSON object"
    )
}
HASHES = (b"sha256", b"verification_hash")
"""Fields that make an imported signal history, which is kept as it is."""
UNREAD = re.compile(r"body: |.*: is given twice")
"""The reasons for which a text does not become an object that Python could pass."""


def split(body: bytes) -> list[tuple[int, bytes]]:
    """Return each line that is not blank, with its number."""
    numbered = enumerate(re.split(rb"\r\n|\n|\r", body), 1)
    return [(number, line) for number, line in numbered if line.removeprefix(BOM).strip()]


@examples(60)
@given(body=bodies())
def test_every_door_answers_each_line_alike(doors: Doors, body: bytes) -> None:
    numbered = split(body)
    first = body.removeprefix(BOM).strip()[:1]
    assume(numbered and first != b"[")
    numbers, lines = zip(*numbered, strict=True)
    single = plain(doors.all_through("single", *lines))
    assert plain(doors.all_through("argument", *lines)) == single
    ndjson = doors.all_through("ndjson_lines", body)
    if isinstance(ndjson.answers[0], str):
        whole = ndjson.answers[0]
        assert single.answers[0] == whole
        assert doors.all_through("stdin_lines", body) == Outcome([whole], [], 0)
        file = doors.all_through("file_lines", body)
        assert file == Outcome([whole.removeprefix("body: ")], [], 0)
        return
    assert plain(ndjson) == single
    assert plain(doors.all_through("stdin_lines", body), numbers) == single
    if first == b"{" and not any(name in body for name in HASHES):
        assert plain(doors.all_through("file_lines", body), numbers) == single
    read = [line for line, why in zip(lines, single.answers, strict=True) if not UNREAD.match(why)]
    if read:
        python = plain(doors.all_through("python", *read))
        assert python.answers == [why for why in single.answers if not UNREAD.match(why)]
        assert python.rows == single.rows


def plain(outcome: Outcome, numbers: Sequence[int] = ()) -> Outcome:
    """Return the outcome with one answer for each line, without what differs by design."""
    (first, *_), rows, dead = outcome
    answers = first if isinstance(first, list) else outcome.answers
    if isinstance(first, dict):
        assert first.keys() <= set(numbers)
        answers = [first.get(number, "") for number in numbers]
    texts = [CLOCK.sub(r"\1", NO_OBJECT.get(why, why)) for why in answers]
    return Outcome(texts, rows, dead)
