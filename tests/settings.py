"""Argo's settings for tests: SQLite in a real file and, if it answers, PostgreSQL."""

import os

from argo.settings import *  # noqa: F403
from argo.settings import DATA_DIR, DATABASES, LOGGING
from tests.services import POSTGRESQL

DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.db")}
if POSTGRESQL.answers():
    DATABASES["postgresql"] = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": POSTGRESQL.host,
        "PORT": POSTGRESQL.port,
        "USER": "postgres",
        "NAME": "postgres",
        "TEST": {"NAME": f"argo_test_{os.getpid()}"},
    }
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # logging in is not the test
LOGGING["root"]["handlers"] = []  # pytest shows the log of a test that fails
CELERY_BROKER_URL = "memory://"
SIGNAL_FLUSH_LINGER = 0.01
