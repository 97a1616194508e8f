"""History is imported unchanged, except for fields that the journal would misread."""

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
def test_history_that_the_journal_would_misread_is_refused(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        encode_imported(legacy_row(1) | changes, utc_now(), "import")
    assert [fault.field for fault in refused.value.errors] == [field]
