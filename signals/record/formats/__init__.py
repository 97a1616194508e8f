"""The public formats of the record, without anything but Python's standard library."""
