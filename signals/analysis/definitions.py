"""What each figure means: the one place for its formula, its unit and what it counts."""

from dataclasses import dataclass
from types import MappingProxyType

ANNUAL = "annualised by the trading days of the account's calendar, 252 or 365"
NO_RETURNS = "fewer than two daily returns"


@dataclass(frozen=True)
class Definition:
    """The meaning of a figure.

    Attributes:
        name: its name in code and in JSON.
        title: its name for people.
        formula: how it is computed.
        unit: of its value.
        counted: which cases it counts.
        undefined: when it has no value.
        source: where the formula comes from; empty if it is plain arithmetic.
    """

    name: str
    title: str
    formula: str
    unit: str
    counted: str
    undefined: str
    source: str = ""

    @property
    def text(self) -> str:
        """Return the definition as one sentence."""
        source = f" Source: {self.source}." if self.source else ""
        return f"{self.formula}; {self.unit}. Counts {self.counted}.{source}"


CLOSED = "closed signals: win, loss, breakeven and expired"
WITH_RESULT = "closed signals whose profit or loss is known"
WITH_STOP = "closed signals with a stop whose profit or loss is known"
DAYS = "daily returns of the equity at the end of each day of the account's calendar"
BOTH_VOTED = (
    "signals on which both voted, which agree more than other votes because agreement makes "
    "signals; or past bars on which both voted"
)
COMPARED = "signals whose trade has closed on the account and in the backtest"
NOT_COMPARED = "no such signal"
RECORDED = (
    "closed signals that were received live after the record began, and each line that is not "
    "shown, which counts as a loss"
)
NOT_RECORDED = (
    "no signal has closed, or a line is not shown and no shown signal has lost, so that nobody "
    "knows how much it may have lost"
)
FORECASTS = "signals that reached their target, their stop or their expiry"

_ALL = (
    # --- Signals -----------------------------------------------------------------------------
    Definition(
        "win_rate", "Win rate", "signals whose outcome is win / closed signals", "share, 0 to 1",
        CLOSED, "no signal has closed",
    ),
    Definition(
        "average_pct", "Average result", "mean of the results", "percent of the entry price",
        WITH_RESULT, "no closed signal has a result",
    ),
    Definition(
        "median_pct", "Median result", "median of the results", "percent of the entry price",
        WITH_RESULT, "no closed signal has a result",
    ),
    Definition(
        "average_win_pct", "Average gain", "mean of the results above 0",
        "percent of the entry price", "closed signals with a result above 0",
        "no closed signal has a result above 0",
    ),
    Definition(
        "average_loss_pct", "Average loss", "mean of the results below 0",
        "percent of the entry price, negative", "closed signals with a result below 0",
        "no closed signal has a result below 0",
    ),
    Definition(
        "best_pct", "Best result", "highest result", "percent of the entry price", WITH_RESULT,
        "no closed signal has a result",
    ),
    Definition(
        "worst_pct", "Worst result", "lowest result", "percent of the entry price", WITH_RESULT,
        "no closed signal has a result",
    ),
    Definition(
        "expectancy_pct", "Expectancy", "share of gains x average gain + share of losses x average "
        "loss, which is the mean of the results", "percent of the entry price for each signal",
        WITH_RESULT, "no closed signal has a result",
    ),
    Definition(
        "expectancy_r", "Expectancy in R",
        "mean of R, where R is the result / the distance from entry to stop",
        "multiples of each signal's own risk", WITH_STOP,
        "no closed signal has both a stop and a result", "Van Tharp, Trade Your Way, 1998",
    ),
    Definition(
        "profit_factor", "Profit factor", "sum of the results above 0 / -(sum of those below 0)",
        "ratio", WITH_RESULT, "no closed signal has a result below 0",
    ),
    Definition(
        "payoff_ratio", "Payoff ratio", "average gain / -(average loss)", "ratio", WITH_RESULT,
        "there is no result above 0, or none below 0",
    ),
    Definition(
        "sqn", "System quality number", "square root of n x mean of R / standard deviation of R "
        "(n - 1)", "number", WITH_STOP,
        "fewer than two closed signals have both a stop and a result, or all have the same R",
        "Van Tharp, Definitive Guide to Position Sizing, 2008",
    ),
    Definition(
        "longest_winning_streak", "Longest winning streak",
        "most results above 0 one after the other, in the order of closing", "signals", WITH_RESULT,
        "no closed signal has a result",
    ),
    Definition(
        "longest_losing_streak", "Longest losing streak",
        "most results below 0 one after the other, in the order of closing", "signals", WITH_RESULT,
        "no closed signal has a result",
    ),
    Definition(
        "average_mae_pct", "Average adverse excursion",
        "mean of how far the price went against each signal; a bound, as the order of prices "
        "within a bar is unknown", "percent of the entry price, negative",
        "closed signals whose excursions are known", "no excursions are known",
        "Sweeney, Maximum Adverse Excursion, 1997",
    ),
    Definition(
        "average_mfe_pct", "Average favourable excursion",
        "mean of how far the price went in favour of each signal; a bound, as the order of prices "
        "within a bar is unknown", "percent of the entry price",
        "closed signals whose excursions are known", "no excursions are known",
        "Sweeney, Maximum Adverse Excursion, 1997",
    ),
    Definition(
        "median_holding_days", "Median holding time", "median of the time from entry to close",
        "days of 24 hours", "closed signals whose times are known and in order",
        "no closed signal has both times in order",
    ),
    # --- Equity ------------------------------------------------------------------------------
    Definition(
        "sharpe", "Sharpe ratio", "mean of the daily returns above the risk-free rate / their "
        f"standard deviation (n - 1), {ANNUAL}", "ratio for a year", DAYS,
        f"{NO_RETURNS}, or returns that never change", "Sharpe, 1994",
    ),
    Definition(
        "sortino", "Sortino ratio", "mean of the daily returns above the risk-free rate / their "
        f"downside deviation over all days, {ANNUAL}", "ratio for a year", DAYS,
        f"{NO_RETURNS}, or no return below the risk-free rate", "Sortino and Price, 1994",
    ),
    Definition(
        "calmar", "Calmar ratio", "CAGR / -(deepest drawdown)", "ratio", DAYS,
        f"{NO_RETURNS}, or no drawdown", "Young, 1991",
    ),
    Definition(
        "cagr", "Compound annual growth", "(last equity / first equity) ^ (days of a year / days) "
        f"- 1, {ANNUAL}", "share for a year", DAYS, NO_RETURNS,
    ),
    Definition(
        "volatility", "Volatility", "standard deviation (n - 1) of the daily returns x square root "
        f"of the days of a year, {ANNUAL}", "share for a year", DAYS, NO_RETURNS,
    ),
    Definition(
        "max_drawdown_pct", "Deepest drawdown", "lowest value of equity / highest equity before - "
        "1, marked to market each day", "percent, negative or 0", DAYS, "no equity is known",
    ),
    Definition(
        "max_drawdown_days", "Length of the deepest drawdown", "days from the peak before the "
        "deepest drawdown until that equity was reached again, or until now", "calendar days",
        DAYS, "no drawdown",
    ),
    Definition(
        "exposure", "Exposure", "days with an open position / days", "share, 0 to 1",
        "days of the account's calendar", "no equity is known",
    ),
    Definition(
        "psr", "Probabilistic Sharpe ratio", "probability that the true Sharpe ratio is above 0, "
        "given its length, skewness and kurtosis", "probability", DAYS,
        f"{NO_RETURNS}, returns that never change, or moments that the formula does not allow",
        "Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier, 2012, equation 9",
    ),
    Definition(
        "dsr", "Deflated Sharpe ratio", "probability that the true Sharpe ratio is above the best "
        "one that so many trials without an edge would give; their number is `trials`, their "
        "variance (n - 1) that of their daily Sharpe ratios", "probability", DAYS,
        "fewer than two trials on the same data had a Sharpe ratio",
        "Bailey and Lopez de Prado, The Deflated Sharpe Ratio, 2014",
    ),
    Definition(
        "trials", "Trials on the same data", "number of replays and backtests that differ in their "
        "parameters, and whose data has one of these symbols in the time of these signals; n have "
        "a daily Sharpe ratio", "trials", "each set of parameters once, however often it was run",
        "never",
    ),
    Definition(
        "cost_pct", "Cost of a rule", "mean result that the skipped signals would have brought, at "
        "their own prices and without costs; below 0 the rule saved money",
        "percent of the entry price for each signal", "skipped signals whose end is known",
        "no skipped signal has a known end",
    ),
    Definition(
        "rejected_cost_pct", "Cost of a rule of validation", "mean result that the rejected "
        "candidates would have brought on past bars, each traded by itself by the rules of "
        "backtest_signals, after costs; below 0 the rule saved money",
        "percent of the entry price for each candidate",
        "rejected candidates whose trade has ended", "no rejected candidate has a trade that ended",
    ),
    # --- Sources -----------------------------------------------------------------------------
    Definition(
        "vote_agreement", "Agreement of two sources", "cases in which both voted the same "
        "direction / cases in which both voted", "share, 0 to 1", BOTH_VOTED,
        "both voted in fewer than 30 cases",
    ),
    Definition(
        "vote_correlation", "Correlation of two sources", "Pearson's correlation of the votes, "
        "with BUY as 1, NEUTRAL as 0 and SELL as -1", "-1 to 1", BOTH_VOTED,
        "both voted in fewer than 30 cases, or one of them always voted the same",
    ),
    Definition(
        "traded_pct", "Expectancy on past bars", "mean result of the signals that the pipeline "
        "makes of past bars, each traded by itself by the rules of backtest_signals, after costs",
        "percent of the entry price for each signal", "signals whose trade has ended",
        "no signal has a trade that ended",
    ),
    Definition(
        "worth_pct", "Worth of a source", "expectancy on past bars with all sources - "
        "expectancy without this source; above 0 the source helped",
        "percent of the entry price for each signal",
        "signals that are made only with or only without it, and whose trade has ended",
        "no signal with all sources, or none without this one, has a trade that ended",
    ),
    # --- Divergence --------------------------------------------------------------------------
    Definition(
        "world_pct", "Mean result", "mean of the results after costs; of the signals themselves at "
        "their own entry, stop and target, and without costs", "percent of the signal's price",
        COMPARED, NOT_COMPARED,
    ),
    Definition(
        "difference_pct", "Mean difference", "mean of the differences between two results of the "
        "same signal, or of the part that has one cause; the parts add up",
        "percent of the signal's price; below 0 is a loss", COMPARED, NOT_COMPARED,
        "Perold, The Implementation Shortfall, 1988",
    ),
    # --- A track record from a bundle of the public record -----------------------------------
    Definition(
        "record_win_rate", "Win rate", "wins / (closed signals + lines that are not shown)",
        "share, 0 to 1", RECORDED, "no signal has closed and every line is shown",
    ),
    Definition(
        "record_mean_pct", "Average result", "mean of the results, with the worst shown loss for "
        "each line that is not shown", "percent of the entry price for each signal", RECORDED,
        NOT_RECORDED,
    ),
    Definition(
        "record_equity_pct", "Growth of the equity", "product of (1 + result) - 1, as if the whole "
        "equity had gone into each signal in turn, with the worst shown loss for each line that is "
        "not shown", "percent", RECORDED, NOT_RECORDED,
    ),
    Definition(
        "record_drawdown_pct", "Deepest drawdown", "lowest value of that equity / highest before - "
        "1, by the times of the outcomes, with all lines that are not shown at its worst place",
        "percent, negative or 0", RECORDED, NOT_RECORDED,
    ),
    # --- Confidence --------------------------------------------------------------------------
    Definition(
        "brier", "Brier score", "mean of (confidence - event)^2, where the event is 1 if the "
        "target was reached before the stop within the expiry", "0 is best, 1 is worst", FORECASTS,
        "no signal has ended", "Brier, 1950",
    ),
    Definition(
        "brier_skill", "Brier skill", "1 - Brier score / uncertainty, so that the base rate as "
        "everybody's confidence has 0", "share; negative is worse than the base rate", FORECASTS,
        "no signal has ended, or all ended alike",
    ),
    Definition(
        "reliability", "Reliability", "mean over bins of (confidence - share of events)^2",
        "0 is best", FORECASTS, "no signal has ended", "Murphy, 1973",
    ),
    Definition(
        "resolution", "Resolution", "mean over bins of (share of events - base rate)^2, corrected "
        "for the spread of the confidences within each bin", "more is better", FORECASTS,
        "no signal has ended", "Murphy, 1973; Stephenson, Coelho and Jolliffe, 2008",
    ),
    Definition(
        "uncertainty", "Uncertainty", "base rate x (1 - base rate)", "0 to 0.25", FORECASTS,
        "no signal has ended", "Murphy, 1973",
    ),
    Definition(
        "log_loss", "Logarithmic loss", "mean of -ln(probability that was given to what happened)",
        "0 is best", FORECASTS, "no signal has ended, or one whose confidence was exactly 0 or 1 "
        "ended the other way", "Good, 1952",
    ),
    Definition(
        "ece", "Expected calibration error", "mean over bins of |confidence - share of events|, "
        "less an estimate of what chance adds", "share, 0 is best", FORECASTS,
        "no signal has ended",
        "Kumar, Liang and Ma, Verified Uncertainty Calibration, 2019",
    ),
)  # fmt: skip

DEFINITIONS = MappingProxyType({definition.name: definition for definition in _ALL})
"""Every figure's definition, by its name."""
