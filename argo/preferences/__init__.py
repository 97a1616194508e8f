"""What each user prefers: the time zone that pages show times in."""
