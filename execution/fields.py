"""A column for money and quantities that keeps every digit, in both databases."""

from decimal import Decimal
from typing import Any, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from execution.money import exact_text

SetType = TypeVar("SetType", contravariant=True)
GetType = TypeVar("GetType", covariant=True)


class ExactDecimal(models.Field[SetType, GetType]):
    """`numeric` in PostgreSQL; text in SQLite, whose own decimals are binary fractions.

    Raises `ValueError` for NaN and infinity.
    """

    _pyi_private_set_type: Decimal  # django-stubs reads the attribute's type here
    _pyi_private_get_type: Decimal

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the type of the column."""
        return "numeric" if connection.vendor == "postgresql" else "text"

    def to_python(self, value: Any) -> Decimal | None:  # noqa: ANN401
        """Return the value of a form or a fixture."""
        return None if value is None else _finite(Decimal(str(value)))

    def from_db_value(self, value: Any, *_: object) -> Decimal | None:  # noqa: ANN401
        """Return the value that the database gives."""
        return None if value is None else Decimal(value)

    def get_db_prep_value(
        self,
        value: Any,  # noqa: ANN401
        connection: BaseDatabaseWrapper,
        prepared: bool = False,
    ) -> Any:  # noqa: ANN401
        """Return the value for the database: plain digits, without an exponent or trailing
        zeros."""
        if value is None:
            return None
        exact = _finite(Decimal(value))
        return exact if connection.vendor == "postgresql" else exact_text(exact)


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return value
