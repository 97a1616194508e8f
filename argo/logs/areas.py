"""The areas of Argo whose log level can be set, and the loggers of each."""

from collections.abc import Mapping

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
AREAS: Mapping[str, tuple[str, ...]] = {
    "storage": ("signals", "argo.sqlite"),
    "sync": ("sync",),
    "generation": ("signals.generation", "signals.market"),
    "execution": ("execution",),
    "web": ("signals.api", "argo.api", "argo.middleware", "argo.web", "django"),
    "processes": ("argo", "signals.wakeup", "celery", "kombu", "django_celery_beat"),
}
"""A logger below another one, such as `signals.market`, belongs to the area that names it."""
REPEATED = (
    "celery.app.trace",
    "celery.beat",
    "celery.worker.request",
    "celery.worker.strategy",
    "django_celery_beat.schedulers",
    "uvicorn.error",
)
"""Loggers with an INFO line for every message, check or step, which would hide the rest."""


def logger_levels(general: str, by_area: Mapping[str, str]) -> dict[str, str]:
    """Return the level of each logger that has one of its own.

    `general` is the level of every area that `by_area` does not name.
    """
    levels = {name: by_area.get(area, general) for area, names in AREAS.items() for name in names}
    repeated = by_area.get("processes", general)
    quiet = "WARNING" if repeated == "INFO" else repeated
    return levels | dict.fromkeys(REPEATED, quiet)
