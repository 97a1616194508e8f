"""`manage.py weigh_sources`: measure what each source of votes and each rule is worth."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from argo.reports.measurement import FILTERS, parameters
from argo.reports.worth_text import worth_text
from argo.version import version
from signals.backtests.past import past_of
from signals.backtests.results import WORTH, keep, sha256_of
from signals.backtests.run import standard_rules
from signals.backtests.weighing import weigh
from signals.clock import utc_now
from signals.config import market
from signals.generation import factory
from signals.management.command import ArgoCommand, progress
from signals.management.filters import add_filters, filter_of
from signals.retrieval.selection import Selection


class Command(ArgoCommand):
    help = (
        "Measure what each source of votes and each rule of validation is worth: make the signals "
        "of past bars with all sources and without each of them, and trade those and the rejected "
        "candidates as backtest_signals does. The result is kept in data/worth/, and the report "
        "shows it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_filters(parser, Selection, FILTERS)

    def run(self, options: dict[str, Any]) -> None:
        wanted, source = filter_of(options, Selection), market()
        # Raw, because a calibration would know outcomes of after the bars that are walked.
        pipeline = factory.pipeline(calibrated=False)
        rules, given = standard_rules(), parameters(wanted)
        past = past_of(wanted, settings.MARKET_SYMBOLS, source)
        with progress(past.count, "bar") as bar:
            found = weigh(wanted, past, source, pipeline, rules, bar.update)
        result = found | {
            "parameters": given,
            "parameters_sha256": sha256_of(given),
            "version": version(),
        }
        path = keep(settings.DATA_DIR, result, utc_now(), WORTH)
        if options["verbosity"]:
            self.answer(options, result | {"path": str(path)}, f"{worth_text(result)}\n\n{path}")
