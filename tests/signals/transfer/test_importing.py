"""History is taken as it is, but for what the journal would take for something else."""

from typing import Any

import pytest

from argo.errors import InvalidInput
from signals.clock import utc_now
from signals.transfer.importing import encode_imported
from tests.legacy import legacy_row


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"change": {"id": "x", "outcome": "win"}}, "change"),
        ({"signal_id": ""}, "signal_id"),
        ({"signal_id": None}, "signal_id"),
        ({"symbol": None}, "signal"),
    ],
)
def test_what_could_not_be_told_apart_later_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        encode_imported(legacy_row(1) | changes, utc_now(), "import")
    assert [fault.field for fault in refused.value.errors] == [field]
