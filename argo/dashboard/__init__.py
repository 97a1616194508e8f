"""The dashboard: is all well, what happened, and what was it worth.

Each panel is a module with `read`, which returns what its template shows. Panels read kept sums and
a bounded number of rows, never a whole table, and load no library of analysis.
"""
