"""Whether a confidence is true, and maps that make it truer.

Arrays of shape (n,): `confidence` from 0 to 1, and `event`, 1.0 if the target was reached before
the stop within the expiry, otherwise 0.0.
"""
