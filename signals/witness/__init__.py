"""Argo as a witness (C2SP tlog-witness): it cosigns the checkpoints of other logs that it watches.

A witness signs a checkpoint only if it continues the last one that it has signed. Whoever asks for
its signature so shows that there is one history.
"""
