"""Sends checkpoints of the public record to witnesses and to time stamp authorities."""
