"""Loaded by pytest before Django, so that tests never touch the data folder of the checkout."""

import os
import sys
import tempfile

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["ARGO_DATA_DIR"] = tempfile.mkdtemp(prefix="argo-tests-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
