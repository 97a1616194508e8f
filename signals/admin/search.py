"""Search of admin lists whose rows belong to a signal."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import having
from signals.keyset import by_index
from signals.ledger.queries import find_row
from signals.ledger.spellings import spellings_of

Row = TypeVar("Row", bound=Model)


class SearchedBySignal(KeysetAdmin[Row]):
    """Search for a complete signal id or symbol.

    `signal` is the column with the key of the signal's row, `symbol` that with the symbol.
    """

    search_fields = ("signal__signal_id",)
    search_help_text = "A complete signal id, or a symbol in any spelling"
    signal, symbol = "signal", "symbol"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        """Find an id by its index; rows of a symbol are looked for among a bounded number."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = find_row(term)
        if found is not None:
            return self.of_signal(queryset, found), False
        return having(queryset, self.symbol, *spellings_of(term).names), False

    def of_signal(self, rows: QuerySet[Any], signal_row: int) -> QuerySet[Any]:
        """Return the rows of a signal; an index finds them."""
        return by_index(rows.filter(**{self.signal: signal_row}))
