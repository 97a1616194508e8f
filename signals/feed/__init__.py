"""The sequence, which gives each journal line an index, and the feed, which shows it in order."""
