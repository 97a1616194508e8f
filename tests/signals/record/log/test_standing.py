"""A signal's lifecycle, and so its page, shows its entry and who signed it by when."""

import pytest
from django.test import Client

from signals.clock import utc_now
from signals.keys import create_key
from signals.models import RecordCheckpoint, RecordCosignature, Signal
from signals.record.log.own import enter_mark
from signals.record.log.standing import standing_of
from tests.signals.record.log.helpers import Node

pytestmark = pytest.mark.django_db(transaction=True)


def events(signal_id: str) -> dict[str, dict[str, object]]:
    client = Client(headers={"X-API-Key": create_key("looker", ["read"])})
    answer = client.get(f"/api/signals/{signal_id}/lifecycle").json()
    return {each["what"]: each for each in answer if each["what"].startswith("record")}


def test_a_signal_shows_its_entry_and_who_signed_it(own: Node) -> None:
    own.enter(1)
    assert [*events("signal-1")] == ["recorded"]
    own.publish()
    checkpoint = RecordCheckpoint.objects.get(size=3)
    for time, line in ((1_800_000_100, "b"), (1_800_000_000, "a"), (None, "c")):
        RecordCosignature.objects.create(checkpoint=checkpoint, witness="w", line=line, time=time)
    found = events("signal-1")
    assert found["recorded"]["detail"] == {"entry": 2, "kind": "signal", "after_mark": None}
    assert found["record_signed"]["detail"] == {"size": 3}
    assert found["record_witnessed"]["detail"] == {"witness": "w", "size": 3}
    assert found["record_witnessed"]["at"] == "2027-01-15T08:00:00Z"


def test_a_later_signal_is_entered_after_the_mark(own: Node) -> None:
    enter_mark("0" * 64, utc_now())
    own.enter(1)
    standing = standing_of(Signal.objects.get().pk)
    assert standing is not None
    assert (standing.mark, standing.signed, standing.cosigned) == (1, None, [])


def test_a_signal_without_an_entry_shows_none(own: Node) -> None:
    own.store(1)
    assert events("signal-1") == {}
