"""A sample of what `python -m tests.power_cuts` tries: the power goes, and no promise is broken.

ARGO_POWER_CUTS_SEED chooses other random disks.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

from tests.installation import Installation
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


def test_the_first_start_with_its_real_settings_breaks_no_promise(tmp_path: Path) -> None:
    start = ("-m", "tests.power_cuts.first_start", SAMPLE.seed, str(SAMPLE.lucks))
    with Installation(tmp_path).start(*start, stdout=PIPE, stderr=STDOUT) as process:
        printed, _ = process.communicate()
    assert process.returncode == 0, printed


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "-"))
def test_no_promise_is_broken_whenever_a_process_and_the_power_fail(story: Story) -> None:
    report = story.tell(SAMPLE)
    assert report.moments > 30
    assert_kept(report)


@pytest.mark.django_db
def test_what_many_writers_were_promised_outlives_several_power_cuts() -> None:
    report = lives(SAMPLE, 300, stored)
    assert report.acknowledged >= 300
    assert_kept(report)


@pytest.mark.django_db
def test_what_an_adopted_node_was_promised_is_stored_and_stays_on_its_disk() -> None:
    report = adoptions(SAMPLE, every=3)
    assert report.acknowledged > 0
    assert_kept(report)
