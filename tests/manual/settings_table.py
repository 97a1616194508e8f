"""Makes the manual's table of settings from .env.example.

Run as `python -m tests.manual.settings_table`: it renews the table in `templates/docs/settings.md`.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.installation import ROOT

EXAMPLE = ROOT / ".env.example"
PAGE = ROOT / "templates/docs/settings.md"
BEGIN, END = "[//]: # (settings: begin)", "[//]: # (settings: end)"
"""Around the tables. Markdown shows nothing for such a line."""
SECTION = re.compile(r"# --- (.+)")
SETTING = re.compile(r"([A-Z_]+)=(.*)")
HEAD = "| setting | default | meaning |\n| --- | --- | --- |"


class Setting(NamedTuple):
    """One setting of the example, under the heading of its section."""

    section: str
    name: str
    default: str
    meaning: str


def settings() -> Iterator[Setting]:
    """Yield the settings of .env.example: each has its meaning in the comment above it."""
    section, comment = "", ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if heading := SECTION.fullmatch(line):
            section, comment = heading[1], ""
        elif line.startswith("# "):
            comment = f"{comment} {line[2:]}".strip()
        elif found := SETTING.fullmatch(line):
            yield Setting(section, found[1], found[2], comment)
            comment = ""
        else:
            comment = ""


def tables() -> str:
    """Return the tables, one for each section, between their marks."""
    parts, section = [BEGIN], ""
    for each in settings():
        if each.section != section:
            section = each.section
            parts += ["", f"## {section}", "", HEAD]
        default = f"`{each.default}`" if each.default else "empty"
        parts.append(f"| `{each.name}` | {default} | {each.meaning} |")
    return "\n".join([*parts, "", END])


def renewed(page: str) -> str:
    """Return the page with the tables as they should be."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    assert found, f"{PAGE} has no line {END}"
    return before + tables() + after


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
