"""TradingView's client certificate, as a proxy that has checked it reports its subject."""

import re

SUBJECT = "X-Client-Certificate-Subject"
"""The header in which the proxy passes the subject on, as a distinguished name."""
COMMON_NAME = "TradingView Webhooks"
_PART = re.compile(r"(?:^|[,/+])\s*CN\s*=\s*((?:\\.|[^,/+\\])*)")


def is_of_tradingview(subject: str) -> bool:
    """Return whether the subject has exactly TradingView's common name, and no other one."""
    names = [name.strip() for name in _PART.findall(subject)]
    return names == [COMMON_NAME]
