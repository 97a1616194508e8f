"""Hides secrets on Django's debug pages."""

import re

from django.views.debug import SafeExceptionReporterFilter


class HidesAddresses(SafeExceptionReporterFilter):
    """Hides settings that hold addresses, too: they may contain passwords and tokens."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|URL", re.IGNORECASE
    )
