"""The totals that are stored with a paper account stay those of its brackets."""

from decimal import Decimal

import pytest

from execution.brokers.paper.ledger import PaperLedger, brackets_of, open_brackets, total_of
from execution.models import PaperAccount, PaperOrder
from execution.types import Leg
from tests.execution.brokers.paper.paper_fixtures import PaperFixture

pytestmark = pytest.mark.django_db


def test_a_bracket_that_one_ledger_writes_twice_is_counted_once() -> None:
    paper = PaperFixture()
    paper.place()
    account = PaperAccount.objects.get()
    ledger = PaperLedger(account)
    (bracket,) = brackets_of([PaperOrder.objects.get(leg=Leg.ENTRY).pk])
    for filled in (4, 7):
        bracket.entry.filled, bracket.entry.value = Decimal(filled), Decimal(filled * 100)
        ledger.write([bracket])
        stored = PaperLedger(PaperAccount.objects.get()).money.totals
        assert stored == ledger.money.totals == total_of(open_brackets(account))
        assert stored.value == filled * 100
