"""Keeps why track records were not published, as a problem that health shows."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from argo.track_record.published import Published, folder, published
from signals.files import make_folder, replace_synced
from signals.problems import Problem, ProblemKind

FAILED = ProblemKind(
    "track_records.failed",
    "Argo tries again every few minutes. argo publish_track_records tries at once, and says what "
    "is wrong. Until then the earlier ones are shown.",
    is_of_node=True,
)
REFUSED = ProblemKind(
    "track_records.refused",
    "The published pages say so, too. argo report --bundle FILE --policy FILE names each fault; "
    "the record itself may be damaged: see argo record --status.",
    is_of_node=True,
)
KINDS = (FAILED, REFUSED)
MOST_SHOWN = 500
"""Characters of the reason."""


def problems(now: datetime) -> Iterator[Problem]:
    """Yield a problem if the last attempt failed, and if what is published is not accepted."""
    if (path := _file()).exists():
        yield FAILED.found(json.loads(path.read_text(encoding="utf-8")))
    found = published()
    if found and (faults := _faults(found)):
        yield REFUSED.found(f"The published bundle is not accepted: {faults}")


def keep(why: str) -> None:
    """Keep why nothing was published. Raises OSError."""
    make_folder(folder())
    told = f"The track records were not published: {why[:MOST_SHOWN]}"
    replace_synced(_file(), json.dumps(told).encode())


def clear() -> None:
    """Forget the failure: track records were published."""
    _file().unlink(missing_ok=True)


def _faults(found: Published) -> str:
    faults = [fault for record in found.records.values() for fault in record["faults"]]
    return "; ".join(dict.fromkeys(fault["message"] for fault in faults))[:MOST_SHOWN]


def _file() -> Path:
    return folder() / "failed.json"
