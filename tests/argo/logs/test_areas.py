"""Levels by area."""

import pytest

from argo.logs.areas import AREAS, REPEATED, logger_levels
from tests.installation import Installation

SHOW = """
import django, logging
django.setup()
for name in ("signals.ledger.flush", "signals.market.daily", "signals.generation.service",
             "sync.sender", "execution.tasks", "argo.api", "signals.api.views", "argo.up.run",
             "celery.beat", "celery.worker", "urllib3"):
    print(name, logging.getLevelName(logging.getLogger(name).getEffectiveLevel()))
"""


def levels(argo: Installation) -> dict[str, str]:
    shown = argo.start("-c", SHOW, stdout=-1).communicate()[0]
    return dict(line.split() for line in shown.splitlines())


def test_each_area_has_its_own_level_and_the_others_the_general_one(tmp_path: object) -> None:
    settings = {
        "ARGO_LOG_LEVEL": "WARNING",
        "ARGO_LOG_LEVELS": "storage=DEBUG, generation=ERROR,sync=INFO,web=DEBUG,processes=INFO",
    }
    assert levels(Installation(tmp_path, settings)) == {  # type: ignore[arg-type]
        "signals.ledger.flush": "DEBUG",
        "signals.market.daily": "ERROR",
        "signals.generation.service": "ERROR",
        "sync.sender": "INFO",
        "execution.tasks": "WARNING",
        "argo.api": "DEBUG",
        "signals.api.views": "DEBUG",
        "argo.up.run": "INFO",
        "celery.beat": "WARNING",
        "celery.worker": "INFO",
        "urllib3": "WARNING",
    }


@pytest.mark.parametrize("level", ["DEBUG", "WARNING", "ERROR"])
def test_the_general_level_alone_sets_all(level: str) -> None:
    assert set(logger_levels(level, {}).values()) == {level}


def test_lines_for_every_message_need_debug() -> None:
    assert {logger_levels("INFO", {})[name] for name in REPEATED} == {"WARNING"}
    assert {logger_levels("INFO", {"processes": "DEBUG"})[name] for name in REPEATED} == {"DEBUG"}


def test_every_logger_of_argo_is_in_an_area() -> None:
    tops = {name.partition(".")[0] for names in AREAS.values() for name in names}
    assert {"argo", "signals", "sync", "execution"} <= tops
