"""Rate limits of API keys, which hold across the processes of a machine."""
