"""Tells load balancers that this web server is about to stop, before it does."""

import threading

leaving = threading.Event()
"""Set from the moment when the server is asked to stop: it is not ready any more, but answers."""
