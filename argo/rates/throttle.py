"""Limits how often a key may call, by scope, and says so in each answer.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy` names the quota
`q` and its window `w` in seconds, `RateLimit` what remains (`r`) and when it is whole again (`t`).
"""

import math
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.throttling import BaseThrottle

from argo.rates.rate import Rate, Verdict, judge
from argo.rates.table import NAME_BYTES, SharedTable
from signals.api.auth import Caller

GetResponse = Callable[[HttpRequest], HttpResponseBase]
FILE = "rate-limits"
"""The file in the data folder."""


@lru_cache(maxsize=4)
def table(folder: str) -> SharedTable:
    """Return the table of a data folder."""
    return SharedTable(Path(folder) / FILE)


class KeyRates(BaseThrottle):
    """Lets a key call as often as the settings RATE_LIMIT_... of the call's scope say.

    ninja asks it after it has checked the key. A call without a key has no limit.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def allow_request(self, request: HttpRequest) -> bool:
        """Return whether the call passes, and note what remains for the answer's headers."""
        caller: Caller | None = getattr(request, "caller", None)
        count = settings.RATE_LIMITS[caller.scope] if caller else 0
        if not caller or not count:
            return True
        verdict = count_one(Rate(count), caller)
        request.rate_limit = _headers(caller.scope, Rate(count), verdict)  # type: ignore[attr-defined]
        self._of_thread.wait = verdict.wait
        return verdict.passes

    def wait(self) -> float:
        """Return the seconds until the call that was just refused would pass."""
        return max(1.0, float(self._of_thread.wait))


def count_one(rate: Rate, caller: Caller) -> Verdict:
    """Count one call of this caller."""
    verdicts = []

    def change(arrival: float) -> float:
        verdicts.append(judge(rate, arrival, time.time()))
        return verdicts[-1].arrival

    table(str(settings.DATA_DIR)).update(caller.digest[:NAME_BYTES], change)
    return verdicts[0]


class RateLimitHeaders:
    """Adds to an answer what remains of the caller's limit."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in getattr(request, "rate_limit", {}).items():
            response[name] = value
        return response


def _headers(scope: str, rate: Rate, verdict: Verdict) -> dict[str, str]:
    policy = f'"{scope}";q={rate.limit};w={rate.seconds:.0f}'
    state = f'"{scope}";r={verdict.remaining};t={math.ceil(verdict.reset)}'
    return {"RateLimit-Policy": policy, "RateLimit": state}
