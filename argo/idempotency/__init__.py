"""POSTs with an Idempotency-Key: sent again, they get the same answer, and act once.

The header is that of draft-ietf-httpapi-idempotency-key-header-07.
"""
