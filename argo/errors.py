"""Argo's errors, and what each means to a caller. This is the only place that says it.

ArgoError
  InvalidInput   the input is invalid
  NotFound       there is no such thing
  Conflict       the request contradicts what is stored
  Unavailable    it cannot be done now, but may work later

Apps raise one of these, or a subclass. The API turns an error into an HTTP status, a command into
an exit code. The message says what is wrong and what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class ArgoError(Exception):
    """Something went wrong that a person can act on.

    `status` is the HTTP status. `exit_code` is the exit code of a command: 1 if it found something
    wrong, 2 if it was used wrongly. `retry_after` is after how many seconds to try again, if that
    is known.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class FieldError:
    """An invalid field: `field` is its name, `message` says what is wrong."""

    field: str
    message: str


class InvalidInput(ArgoError):
    """The input is invalid and was refused as a whole; `errors` lists every invalid field.

    `code` is the word that metrics count it by.
    """

    status = 422
    exit_code = 2
    code: ClassVar[str] = "invalid"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in self.errors))

    def __reduce__(self) -> tuple[type["InvalidInput"], tuple[tuple[FieldError, ...]]]:
        return InvalidInput, (self.errors,)  # makes it possible to pickle it for another process


class NotFound(ArgoError):
    """There is no such thing."""

    status = 404
    exit_code = 2


class Conflict(ArgoError):
    """The request contradicts what is stored."""

    status = 409


class Unavailable(ArgoError):
    """It cannot be done now, but may work later. Nothing that was acknowledged is lost."""

    status = 503
