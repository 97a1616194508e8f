"""The journal in a folder that a command names."""

from pathlib import Path

from argo.errors import FieldError, InvalidInput
from signals.journal import Journal


def journal_in(folder: Path) -> Journal:
    """Return the journal in a data folder, or in a copy of one. Raises InvalidInput."""
    found = Journal(folder / "signals.log")
    if not found.identity_path.exists():
        message = f"{folder} has no {found.identity_path.name}: it is not a data folder"
        raise InvalidInput([FieldError("--journal", message)])
    return found
