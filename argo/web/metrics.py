"""What the web server measures."""

from django.conf import settings
from prometheus_client import Gauge

settings.METRICS_DIR  # noqa: B018  # the settings say where counters are kept: before the first one
READERS = Gauge(
    "argo_feed_readers",
    "Readers of the feed who wait now, of this node",
    multiprocess_mode="livesum",
)
