"""Errors survive the way from one process to another."""

import pickle

from argo.errors import FieldError, InvalidInput


def test_an_invalid_input_can_be_pickled() -> None:
    error = InvalidInput([FieldError("symbol", "is empty")])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert (again.errors, str(again)) == (error.errors, "symbol: is empty")
