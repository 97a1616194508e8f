"""Makes Django's LOGGING from the settings."""

import logging
from collections.abc import Mapping
from typing import Any

from argo.logs.areas import logger_levels


def logging_settings(general: str, by_area: Mapping[str, str], style: str) -> dict[str, Any]:
    """Return LOGGING: `general` is the level of all areas that `by_area` does not name, `style`
    (text or json) the form of the lines."""
    loggers: dict[str, dict[str, Any]] = {
        name: {"level": level} for name, level in logger_levels(general, by_area).items()
    }
    loggers["django.request"] = {"filters": ["failures"]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"failures": {"()": "argo.logs.config.Failures"}},
        "formatters": {"line": {"()": "argo.logs.lines.line_formatter", "style": style}},
        "handlers": {"stderr": {"class": "argo.logs.handler.BackgroundHandler",
                                "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": general},
        "loggers": loggers,
    }  # fmt: skip


class Failures(logging.Filter):
    """Lets only records with an error pass: Argo itself reports requests that it refuses."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record has an error."""
        return bool(record.exc_info)
