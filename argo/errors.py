"""Argo's errors, and the one place that says what each means to a caller.

An app raises one of these (or a subclass of its own); the API turns it into a status, a command
into an exit code. The message says what is wrong and what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class ArgoError(Exception):
    """Something went wrong that a person can act on.

    `status` is the HTTP answer and `exit_code` what a command ends with: 1 where it found
    something wrong, 2 where it was used wrongly.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: `field` is its name, `message` what to do."""

    field: str
    message: str


class InvalidInput(ArgoError):
    """The input was refused as a whole; `errors` names every bad field at once."""

    status = 422
    exit_code = 2

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in self.errors))

    def __reduce__(self) -> tuple[type["InvalidInput"], tuple[tuple[FieldError, ...]]]:
        return InvalidInput, (self.errors,)  # so that it can come from another process


class NotFound(ArgoError):
    """There is no such thing."""

    status = 404
    exit_code = 2


class Conflict(ArgoError):
    """What was asked contradicts what is stored."""

    status = 409


class Unavailable(ArgoError):
    """It cannot be done now and may pass later: nothing that was acknowledged is lost."""

    status = 503
