"""The report of each day in the data folder: made on schedule, kept for a while."""
