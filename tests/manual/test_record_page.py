"""The manual explains each fault that the verifier of a record can name."""

import ast

from signals.record.one_file import source
from tests.manual.words import tables


def test_each_fault_is_explained() -> None:
    calls = (node for node in ast.walk(ast.parse(source())) if isinstance(node, ast.Call))
    codes = {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "fault"
        and isinstance(call.args[0], ast.Constant)
    }
    assert set(tables("record")["fault"]) == codes
