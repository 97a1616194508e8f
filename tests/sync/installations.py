"""Parts that tests of whole installations share: logging signals and counting deliveries."""

import json

from tests.installation import Installation
from tests.samples import signals
from tests.sync.alpine_server import Alpine


def settings_of(alpine: Alpine) -> dict[str, str]:
    """Return the settings that send to this Alpine."""
    return {"ALPINE_ENDPOINT": alpine.endpoint, "ALPINE_API_KEY": "key"}


def log(argo: Installation, count: int) -> None:
    """Log `count` signals with the command."""
    lines = "".join(f"{json.dumps(each, default=str)}\n" for each in signals(count))
    argo.manage("log_signal", stdin=lines).check_returncode()


def statuses(argo: Installation) -> dict[str, int]:
    """Return the number of deliveries by status."""
    return dict(argo.query("SELECT status, count(*) FROM deliveries GROUP BY status"))
