"""Loaded by pytest before Django, so that tests never touch the data folder of the checkout."""

import os
import tempfile

os.environ["ARGO_DATA_DIR"] = tempfile.mkdtemp(prefix="argo-tests-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
