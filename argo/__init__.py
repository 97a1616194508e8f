"""The composition root: it wires the apps together and runs them.

The SQLite library is replaced here, because this module is imported before any other of Argo's.
"""

from argo.sqlite.library import use_fixed_sqlite

use_fixed_sqlite()
