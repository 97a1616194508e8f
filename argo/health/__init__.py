"""The health of this Argo: its problems, for monitors, for people, and to be told."""
