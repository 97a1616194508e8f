"""How much is tried, and from which seed."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings

SEED, SCALE = "FUZZ_SEED", "FUZZ_SCALE"
"""Environment variables: the seed, 0 by default, so that CI tries the same each time; and how many
times the examples of CI to try."""


def examples(count: int) -> Callable[[Any], Any]:
    """Return a decorator for a property: try it with `count` examples, times the scale.

    A failure is not shrunk in CI, where each second counts; with a seed of its own it is.
    """
    chosen = int(os.environ.get(SEED, "0"))
    phases = [Phase.explicit, Phase.generate] + [Phase.shrink] * bool(chosen)
    limits = settings(
        max_examples=max(1, int(count * float(os.environ.get(SCALE, "1")))),
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: seed(chosen)(limits(test))
