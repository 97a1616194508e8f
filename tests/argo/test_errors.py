"""Errors keep what they say on the way between processes."""

import pickle

from argo.errors import FieldError, InvalidInput


def test_an_invalid_input_comes_from_another_process_whole() -> None:
    error = InvalidInput([FieldError("symbol", "is empty")])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert (again.errors, str(again)) == (error.errors, "symbol: is empty")
