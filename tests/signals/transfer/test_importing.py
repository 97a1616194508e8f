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


def test_history_keeps_an_id_that_a_new_signal_may_not_have() -> None:
    """`latest` is a call of the API; to refuse the row would lose it."""
    row = legacy_row(1) | {"signal_id": "latest"}
    receipt, _ = encode_imported(row, utc_now(), "import")
    assert receipt.signal_id == "latest"
