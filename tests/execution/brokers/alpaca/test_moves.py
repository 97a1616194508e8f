"""Every type of activity that moves money is read, and those that move shares are not."""

from alpaca.trading.enums import ActivityType

from execution.brokers.alpaca.moves import MOVES

ORDERS = {"FILL", "OPTRD", "FXTRD", "EXTRD"}
HOLDINGS = {"MA", "NC", "OPASN", "OPCSH", "OPEXC", "OPEXP", "REORG", "SPIN", "SPLIT"}
INTERNAL = {"MEM", "OCT", "SWP", "VOF"}
"""Memos, and money that stays in the account: a sweep to a bank and back."""


def test_every_type_that_the_client_library_knows_is_read_or_left_out_on_purpose() -> None:
    left_out = ORDERS | HOLDINGS | INTERNAL
    known = {each.value for each in ActivityType}
    assert known - MOVES.keys() == left_out
