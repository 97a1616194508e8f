"""How far a Sharpe ratio may be believed.

Bailey and Lopez de Prado: The Sharpe Ratio Efficient Frontier, 2012, equation 9; The Deflated
Sharpe Ratio, 2014, equations 1 and 2. All ratios are of one period (a day), not annualised.
"""

import math

import numpy as np
from scipy.stats import norm

EULER_GAMMA = float(np.euler_gamma)


def probabilistic_sharpe(
    sharpe: float, n: int, skewness: float, kurtosis: float, *, benchmark: float = 0.0
) -> float:
    """Return the probability that the true ratio is above `benchmark`.

    `kurtosis` is 3 for a normal distribution; `n` is the number of returns. NaN if the variance
    that the moments give is not positive, or `n` is below 2.
    """
    variance = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if n < 2 or not variance > 0:
        return math.nan
    return float(norm.cdf((sharpe - benchmark) * math.sqrt((n - 1) / variance)))


def expected_best(trials: int, variance: float) -> float:
    """Return the best ratio to expect of `trials` without an edge, whose ratios have `variance`.

    Raises ValueError for fewer than one trial or a negative variance.
    """
    if trials < 1 or variance < 0:
        raise ValueError("expected_best needs one trial or more, and a variance of 0 or more")
    if trials == 1:
        return 0.0
    high = float(norm.ppf(1 - 1 / trials))
    higher = float(norm.ppf(1 - 1 / (trials * math.e)))
    return math.sqrt(variance) * ((1 - EULER_GAMMA) * high + EULER_GAMMA * higher)


def deflated_sharpe(
    sharpe: float, n: int, skewness: float, kurtosis: float, *, trials: int, variance: float
) -> float:
    """Return the probability that the true ratio beats the best of `trials` without an edge."""
    benchmark = expected_best(trials, variance)
    return probabilistic_sharpe(sharpe, n, skewness, kurtosis, benchmark=benchmark)
