"""Two reports side by side: each figure of both, the difference, and how sure that is."""
