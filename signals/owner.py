"""Names of claim holders."""

import os
from uuid import uuid4


def new_owner_id() -> str:
    """Return a name that no other claim holder has; its first part is the process id."""
    return f"{os.getpid()}-{uuid4().hex}"
