"""A sample of what `python -m tests.power_cuts` tries: the power goes, and no promise is broken.

ARGO_POWER_CUTS_SEED chooses other random disks.
"""

import logging
import os
from collections.abc import Iterator

import pytest

from tests.power_cuts.cutting import Cutter, Report
from tests.power_cuts.scenarios import STORIES, Story, lives
from tests.power_cuts.storing import adoptions, stored

SAMPLE = Cutter(os.environ.get("ARGO_POWER_CUTS_SEED", "1"), lucks=1, share=0.3)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Say nothing of files that are taken away, thousands of times."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def assert_kept(report: Report) -> None:
    """Fail with some examples if a promise was broken."""
    assert not report.broken, "\n".join([f"seed {SAMPLE.seed}: {report}", *report.examples])


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "-"))
def test_no_promise_is_broken_whenever_a_process_and_the_power_fail(story: Story) -> None:
    report = story.tell(SAMPLE)
    assert report.disks > 100
    assert_kept(report)


@pytest.mark.django_db
def test_what_many_writers_were_promised_outlives_several_power_cuts() -> None:
    report = lives(SAMPLE, 300, stored)
    assert report.acknowledged >= 300
    assert_kept(report)


@pytest.mark.django_db
def test_what_an_adopted_node_was_promised_is_stored_and_stays_on_its_disk() -> None:
    report = adoptions(SAMPLE)
    assert report.acknowledged > 0
    assert_kept(report)
