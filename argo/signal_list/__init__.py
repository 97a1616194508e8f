"""The list of signals in the API, and its export: filters by what all apps know of a signal."""
