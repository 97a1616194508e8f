"""Joins the verifier to one file of Python that needs nothing but its standard library.

It is the same code that Argo runs, in the order of its imports, so that an outsider can read and
run it without Argo.
"""

import ast
from pathlib import Path

HERE = Path(__file__).parent
MODULES = (
    "formats/encoding", "formats/ed25519", "formats/entries", "formats/tree", "formats/tiles",
    "formats/notes", "formats/checkpoints", "formats/policy", "formats/proofs", "formats/der",
    "formats/stamps",
    "verifier/report", "verifier/strict_json", "verifier/signatures", "verifier/files",
    "verifier/tree_check", "verifier/lines", "verifier/history", "verifier/figures",
    "verifier/brackets", "verifier/material", "verifier/stamped", "verifier/check",
    "verifier/sources", "verifier/whole", "verifier/following",
    "verifier/proof_check", "verifier/cli",
)  # fmt: skip
"""Each after all that it imports."""
HEAD = '''#!/usr/bin/env python3
"""Checks a public record of Argo: proofs, bundles, and whole records.

Usage: python3 verify.py BUNDLE|PROOF|DIR|URL --policy FILE [--known FILE] [--line FILE] [--json]
       python3 verify.py DIR|URL --policy FILE --follow FILE
Needs Python 3.11 or newer, and nothing else. It writes nothing but the FILE of --follow, and uses
the network only to read the record at a URL that you give.
"""

# ruff: noqa
'''
TAIL = '\n\nif __name__ == "__main__":\n    sys.exit(main())\n'


def source() -> str:
    """Return the whole verifier as the text of one Python file."""
    imports: dict[str, set[str]] = {}
    bodies = [_body(HERE / f"{name}.py", imports) for name in MODULES]
    lines = [_import_line(module, names) for module, names in sorted(imports.items())]
    return HEAD + "\n".join(lines) + "\n" + "".join(bodies) + TAIL


def _import_line(module: str, names: set[str]) -> str:
    return f"from {module} import {', '.join(sorted(names))}" if names else f"import {module}"


def _body(path: Path, imports: dict[str, set[str]]) -> str:
    """Return a module without its imports, and add those of the standard library to `imports`."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _collect(node, imports)
            lines[node.lineno - 1 : node.end_lineno] = [""] * _height(node)
    return f"\n\n# --- {path.stem} ---\n" + "\n".join(_without_gaps(lines)) + "\n"


def _collect(node: ast.Import | ast.ImportFrom, imports: dict[str, set[str]]) -> None:
    names = {each.name for each in node.names}
    if isinstance(node, ast.Import):
        imports.update({name: set() for name in names})
    elif node.module and not node.module.startswith("signals."):
        imports.setdefault(node.module, set()).update(names)


def _height(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _without_gaps(lines: list[str]) -> list[str]:
    """Return the lines with at most two empty ones in a row."""
    return [line for at, line in enumerate(lines) if line or any(lines[max(at - 2, 0) : at])]
