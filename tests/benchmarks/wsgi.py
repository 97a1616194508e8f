"""Argo's web application with an additional empty endpoint, for comparison only."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.ROOT_URLCONF = "tests.benchmarks.urls"
application = get_wsgi_application()
