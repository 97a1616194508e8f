"""Text that would run, break out of its place or hide, if a page did not show it as text.

Each begins with the name of its field, so that a page that shows it can be told.
"""

TEXT = """:<script>hit=1</script>"><img src=x onerror=hit=1>{{7*7}}'\u202e\u2066"""
PLAIN_TEXT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7|add:7 }}"
"""The same for pages that no browser opens, in a single line of plain characters."""
SYMBOL = "<IMG SRC=X ONERROR=HIT=1>\"'"
LONG = 1000
FIELDS = (
    "strategy", "asset type", "data source", "regime", "reasoning", "source", "vote", "extra",
    "outcome why", "decision", "answer", "letter id", "letter reason", "letter", "halt",
    "lifted by", "lifted why", "key", "account", "change why", "host", "retired", "candidate",
    "candidate why", "schedule", "group", "first name", "alert", "fault", "event answer", "notice",
)  # fmt: skip


def text(field: str, length: int = 0) -> str:
    """Return hostile text that names its field, of this length at least."""
    assert field in FIELDS, f"add {field!r} to FIELDS, so that a page must show it"
    return f"{field}{TEXT}".ljust(length, "y")
