"""The roles of a machine: which part of Argo it runs."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from argo.errors import FieldError, InvalidInput
from signals.dialect import is_shared

WEB, BEAT, FLUSH, SYNC, EXECUTION = "web", "beat", "flush", "sync", "execution"
RECORD, GENERATION = "record", "generation"
MEANING = {
    WEB: "the web server and its pages",
    BEAT: "the schedule; of several machines with it one is active, the others stand by",
    FLUSH: "stores the lines of this machine's journal",
    SYNC: "sends deliveries and events",
    EXECUTION: "decides, trades, follows positions; makes reports",
    RECORD: "signs the public record, if RECORD_ORIGIN is set",
    GENERATION: "makes signals, if MARKET_DATA is live",
}
WRITERS = (WEB, EXECUTION, GENERATION)
"""Roles that write lines to the journal of their machine, where only its own flush reads them."""


@dataclass(frozen=True)
class Roles:
    """The chosen roles; `is_small` lets several share a process."""

    names: frozenset[str]
    is_small: bool = False

    def __contains__(self, name: str) -> bool:
        return name in self.names


def all_roles(*, is_small: bool = False) -> Roles:
    """Return every role that the settings ask for."""
    return Roles(frozenset(MEANING) - _switched_off(), is_small)


def chosen(text: str | None, *, is_small: bool = False) -> Roles:
    """Return the roles that the text names, separated by commas; all of them for None.

    Raises InvalidInput, which says what to do.
    """
    if text is None:
        return all_roles(is_small=is_small)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise _invalid(f"name at least one of {', '.join(MEANING)}, or leave out --roles")
    _ensure_known(names)
    roles = Roles(frozenset(names), is_small)
    _ensure_flushed(roles)
    return roles


def _switched_off() -> frozenset[str]:
    """Return the roles that have nothing to do with these settings."""
    off = {RECORD: not settings.RECORD_ORIGIN, GENERATION: not settings.MARKET_IS_LIVE}
    return frozenset(name for name, is_off in off.items() if is_off)


def _ensure_known(names: Iterable[str]) -> None:
    unknown = sorted(set(names) - MEANING.keys())
    if unknown:
        raise _invalid(f"there is no role {', '.join(unknown)}; the roles are {', '.join(MEANING)}")
    off = sorted(set(names) & _switched_off())
    if off:
        wanted = {RECORD: "RECORD_ORIGIN", GENERATION: "MARKET_DATA=files or alpaca"}
        raise _invalid(
            f"the role {off[0]} has nothing to do: set {wanted[off[0]]}, or leave it out"
        )


def _ensure_flushed(roles: Roles) -> None:
    if not is_shared("default") and roles.names != all_roles().names:
        raise _invalid(
            "with SQLite one machine runs everything: leave out --roles, or set DATABASE_URL to a "
            "PostgreSQL that all machines share"
        )
    if settings.CELERY_BROKER_URL.startswith("filesystem") and roles.names != all_roles().names:
        raise _invalid(
            "the broker in a folder is of one machine: set CELERY_BROKER_URL to a Redis or "
            "RabbitMQ that all machines share, or leave out --roles"
        )
    writers = [name for name in WRITERS if name in roles]
    if writers and FLUSH not in roles:
        raise _invalid(
            f"the role {writers[0]} writes to the journal of this machine, which only the role "
            "flush on the same machine stores: add flush"
        )


def _invalid(what: str) -> InvalidInput:
    return InvalidInput([FieldError("--roles", what)])
