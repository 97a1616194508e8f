"""Reports: what signals were worth, how sure that is, and what it assumes."""
