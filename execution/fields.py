"""A column for money and quantities that keeps every digit, in both databases."""

from decimal import Decimal
from typing import Any, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from execution.money import exact_text

SetType = TypeVar("SetType", contravariant=True)
GetType = TypeVar("GetType", covariant=True)


class ExactDecimal(models.Field[SetType, GetType]):
    """`numeric` in PostgreSQL, and text in SQLite, whose own decimals are binary fractions.

    Never NaN nor infinite: `ValueError`.
    """

    _pyi_private_set_type: Decimal  # what django-stubs takes for the type of an attribute
    _pyi_private_get_type: Decimal

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type."""
        return "numeric" if connection.vendor == "postgresql" else "text"

    def to_python(self, value: Any) -> Decimal | None:  # noqa: ANN401
        """From a form or a fixture."""
        return None if value is None else _finite(Decimal(str(value)))

    def from_db_value(self, value: Any, *_: object) -> Decimal | None:  # noqa: ANN401
        """As the database gives it."""
        return None if value is None else Decimal(value)

    def get_db_prep_value(
        self,
        value: Any,  # noqa: ANN401
        connection: BaseDatabaseWrapper,
        prepared: bool = False,
    ) -> Any:  # noqa: ANN401
        """As the database takes it: plain digits, without an exponent or zeros at the end."""
        if value is None:
            return None
        exact = _finite(Decimal(value))
        return exact if connection.vendor == "postgresql" else exact_text(exact)


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(f"{value} is no number that could be kept")
    return value
