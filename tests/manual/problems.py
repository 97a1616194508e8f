"""The sentences in which health reports problems, read from the functions that write them."""

import ast
import re
from collections.abc import Iterator

from tests.installation import ROOT

WRITERS = {
    "argo/health.py": {"health", "_database"},
    "execution/accounts/failures.py": {"_message"},
    "execution/status.py": {"_problems"},
    "signals/journal/reader.py": {"_is_to_come", "_check_identity"},
    "signals/ledger/flush.py": {"_start_over"},
    "signals/ledger/journal_state.py": {"_replaced", "_rescued"},
    "sync/status.py": {"brief"},
}
"""Every function with a sentence that can be among health's `problems`."""
SENTENCE = re.compile(r"(?:…|[A-Z][a-z]*)[ ']")


def sentences() -> set[str]:
    """Return the sentences; "…" stands for what they fill in."""
    return {text for path, names in WRITERS.items() for text in _sentences(path, names)}


def _sentences(path: str, names: set[str]) -> Iterator[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    writers = [each for each in functions if each.name in names]
    assert {each.name for each in writers} == names, f"{path} has changed: correct WRITERS"
    for writer in writers:
        own = writer.body[1:] if ast.get_docstring(writer) else writer.body
        texts = [text for node in own for text in _texts(node)]
        yield from (text for text in texts if SENTENCE.match(text))


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts in it: a formatted one as a whole, and not the parts that it is made of."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(_part(part) for part in node.values)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def _part(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "…"
