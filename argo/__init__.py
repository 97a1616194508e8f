"""The composition root: it wires the apps together and owns what runs them.

The SQLite library is swapped here, because nothing of Argo can be imported before this module.
"""

from argo.sqlite.library import use_fixed_sqlite

use_fixed_sqlite()
