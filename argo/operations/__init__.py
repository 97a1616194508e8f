"""Pages for what runs: processes, problems and figures over time, limits, and the log of acts."""
