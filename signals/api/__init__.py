"""The HTTP API of the ledger."""
